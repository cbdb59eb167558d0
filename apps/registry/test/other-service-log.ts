import { randomUUID } from 'node:crypto';
import { catalogOf, type ExperimentsEvent, type PipelinesEvent } from '@mledger/contracts';
import { Relay } from '@mledger/event-bus';
import { openEventLog, stream } from '@mledger/event-log';
import { Logger, type Runtime } from '@mledger/service-kit';

/** The log of a service that the registry listens to: real events on the real bus, told by the test. */
export interface OtherServiceLog<E> {
  tell(streamKey: readonly [kind: string, key: string], events: readonly E[], tenant?: string): Promise<void>;
  stop(): Promise<void>;
}

export const experimentsLog = (runtime: Runtime) => openOtherLog<ExperimentsEvent>('experiments', runtime);
export const pipelinesLog = (runtime: Runtime) => openOtherLog<PipelinesEvent>('pipelines', runtime);

async function openOtherLog<E extends ExperimentsEvent | PipelinesEvent>(
  service: 'experiments' | 'pipelines',
  runtime: Runtime,
): Promise<OtherServiceLog<E>> {
  const log = await openEventLog({
    ...{ service, url: runtime.databaseUrl, catalog: catalogOf(service), projections: [], poolSizeMax: 2 },
  });
  log.start();
  const relay = new Relay({ service, log, bus: runtime.bus, logger: Logger.create({ service, level: 'warn' }) });
  await relay.start();
  return {
    async tell([kind, key], events, tenant = 'default') {
      const context = { tenant, actor: 'user:ana', cause: 'test', correlation: randomUUID() };
      await log.store.appendBlind(stream(tenant, kind, key), [...events], context);
    },
    async stop() {
      await relay.stop();
      await log.stop();
    },
  };
}
