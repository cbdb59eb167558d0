import { join } from 'node:path';
import type { MasterKey } from '@mledger/access-control';
import { TOPICS } from '@mledger/contracts';
import { InProcessBus, KafkaBus, type EventBus } from '@mledger/event-bus';
import { openObjectStore, type ObjectStore } from '@mledger/object-store';
import type { Config, Logger } from '@mledger/service-kit';

/** Postgres, given or our own. */
export interface Database {
  readonly url: string;
  stop(): Promise<void>;
  /** Settles when a server of our own ends by itself; never for a given one. */
  readonly lost: Promise<string>;
}

/** Takes DATABASE_URL, or starts the Postgres of the data folder. */
export async function openDatabase(config: Config, log: (line: string) => void): Promise<Database> {
  if (config.databaseUrl !== undefined) {
    return { url: config.databaseUrl, stop: async () => undefined, lost: new Promise(() => undefined) };
  }
  const { startPostgres } = await import('@mledger/infra');
  const postgres = await startPostgres({ dataFolder: join(config.home, 'postgres'), log });
  const lost = postgres.exited.then(() => `the Postgres of ${config.home} ended; see postgres/postgres.log there`);
  return { url: postgres.url, stop: () => postgres.stop(), lost };
}

/** Kafka when brokers are given, else the bus in this process. */
export async function openBus(config: Config, databaseUrl: string, logger: Logger): Promise<EventBus> {
  if (config.kafkaBrokers.length === 0) {
    const bus = await InProcessBus.open({ url: databaseUrl, logger });
    await bus.ensureTopics(TOPICS);
    return bus;
  }
  const bus = new KafkaBus({
    brokers: config.kafkaBrokers,
    clientId: 'mledger',
    replicationFactor: config.kafkaReplication,
    logger,
    onFatal: (error) => {
      logger.error({ error }, 'the bus cannot go on: ending, to be started anew');
      process.exit(1);
    },
  });
  await bus.ensureTopics(TOPICS);
  return bus;
}

/** S3 when a bucket is given, else a folder of the data folder. */
export function openObjects(config: Config, masterKey: MasterKey): Promise<ObjectStore> {
  if (config.s3) return openObjectStore({ kind: 's3', ...config.s3 });
  return openObjectStore({ kind: 'disk', root: config.home, presignSecret: masterKey.keyFor('presign') });
}
