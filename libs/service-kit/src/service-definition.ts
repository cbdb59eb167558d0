import type { Type } from '@nestjs/common';
import type { ServiceName } from '@mledger/contracts';
import type { EventBus, PayloadHandler, Reaction, ReadModel } from '@mledger/event-bus';
import type { Projection } from '@mledger/event-log';
import type { ObjectStore } from '@mledger/object-store';
import type { MasterKey } from '@mledger/access-control';
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';
import type { MigrationInterface } from 'typeorm';
import type { Clock, Ids } from './clock';
import type { Config } from './config';
import type { ProblemMapper } from './edge/send-error';

/** All that tells one service from another. */
export interface ServiceDefinition {
  readonly name: ServiceName;
  /** The Nest module with its controllers and providers. */
  readonly module: Type;
  readonly projections: readonly Projection[];
  /** Rows from other services' events. */
  readonly readModels?: readonly ReadModel[];
  /** Providers of the module. */
  readonly reactions?: readonly Type<Reaction>[];
  /** Providers of the module that work on a topic that is no log. */
  readonly payloadHandlers?: readonly Type<PayloadHandler>[];
  /** Of working state only; the log's own come with event-log. */
  readonly migrations?: readonly (new () => MigrationInterface)[];
  /** Of working state. */
  readonly entities?: readonly (new () => object)[];
  /** How refusals are told in a protocol, where the form's own status or code is not it. */
  readonly problems?: ProblemMapper;
}

/** What a service runs on: the same in its own process, in standalone, and in a test. */
export interface Runtime {
  readonly config: Config;
  readonly databaseUrl: string;
  readonly bus: EventBus;
  readonly objectStore: ObjectStore;
  readonly masterKey: MasterKey;
  /** Connections of this service's own pool. */
  readonly poolSizeMax?: number;
  readonly clock?: Clock;
  readonly ids?: Ids;
  /** Takes traces in place of OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly spanExporter?: SpanExporter;
  /** Tells the operator something once, on standard output unless given: the first key. */
  readonly announce?: (text: string) => void;
}

/** For injection: these are interfaces, of which there are two kinds each. */
export const EVENT_BUS = Symbol('EVENT_BUS');
export const OBJECT_STORE = Symbol('OBJECT_STORE');

/** What the operator is told once; injected by class. */
export abstract class Announcer {
  abstract announce(text: string): void;
}
