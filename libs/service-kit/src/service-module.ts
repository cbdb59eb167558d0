import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { AccessControl, AccessDirectory, MasterKey } from '@mledger/access-control';
import type { EventBus } from '@mledger/event-bus';
import { EventLog, EventStore } from '@mledger/event-log';
import type { ObjectStore } from '@mledger/object-store';
import { DataSource } from 'typeorm';
import { Clock, Ids } from './clock';
import { Config } from './config';
import { Lifecycle } from './lifecycle';
import { Logger } from './logger';
import { Metrics } from './observe/metrics';
import { ReadModelFeeds } from './read-model-feeds';
import { Announcer, EVENT_BUS, OBJECT_STORE, type ServiceDefinition } from './service-definition';

export interface ServiceParts {
  readonly config: Config;
  readonly log: EventLog;
  readonly bus: EventBus;
  readonly objectStore: ObjectStore;
  readonly masterKey: MasterKey;
  readonly access: AccessControl;
  readonly directory: AccessDirectory;
  readonly feeds: ReadModelFeeds;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  readonly announcer: Announcer;
}

/** What every provider of a service may ask for. */
@Global()
@Module({})
class KitModule {}

/** The root module of a service: the kit's providers beside the service's own module. */
@Module({})
export class ServiceModule {
  static of(definition: ServiceDefinition, parts: ServiceParts): DynamicModule {
    const providers: Provider[] = [
      { provide: Config, useValue: parts.config },
      { provide: EventLog, useValue: parts.log },
      { provide: EventStore, useValue: parts.log.store },
      { provide: DataSource, useValue: parts.log.dataSource },
      { provide: EVENT_BUS, useValue: parts.bus },
      { provide: OBJECT_STORE, useValue: parts.objectStore },
      { provide: MasterKey, useValue: parts.masterKey },
      { provide: AccessControl, useValue: parts.access },
      { provide: AccessDirectory, useValue: parts.directory },
      { provide: ReadModelFeeds, useValue: parts.feeds },
      { provide: Clock, useValue: parts.clock },
      { provide: Ids, useValue: parts.ids },
      { provide: Logger, useValue: parts.logger },
      { provide: Metrics, useValue: parts.metrics },
      { provide: Lifecycle, useValue: parts.lifecycle },
      { provide: Announcer, useValue: parts.announcer },
    ];
    const kit: DynamicModule = {
      module: KitModule,
      global: true,
      providers,
      exports: providers.map((provider) => (provider as { provide: symbol }).provide),
    };
    return { module: ServiceModule, imports: [kit, definition.module] };
  }
}
