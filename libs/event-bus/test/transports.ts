import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type Kafka, startKafka } from '@mledger/infra';
import { type BusLogger, type EventBus, InProcessBus, KafkaBus } from '../src';

/** A transport under test. Its buses see one another's topics, as the processes of one installation do. */
export interface Transport {
  readonly name: 'in process' | 'Kafka';
  start(): Promise<void>;
  /** A bus of an installation; the same id, the same topics. */
  open(installation: string): Promise<EventBus>;
  stop(): Promise<void>;
}

/** Errors that are meant to happen in a test are no news; a failing test can turn this on. */
export const testLogger: BusLogger = process.env.MLEDGER_TEST_LOG
  ? { debug: () => undefined, info: print, warn: print, error: print }
  : { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function print(fields: object, message: string): void {
  process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
}

/** A database of its own on the Postgres of the test run. */
export function testDatabase(): Promise<string> {
  return createDatabase(process.env.MLEDGER_TEST_DATABASE_URL!, `bus_${randomUUID().replaceAll('-', '')}`);
}

export function inProcessTransport(): Transport {
  const databases = new Map<string, Promise<string>>();
  return {
    name: 'in process',
    start: async () => undefined,
    async open(installation) {
      if (!databases.has(installation)) databases.set(installation, testDatabase());
      return InProcessBus.open({ url: await databases.get(installation)!, logger: testLogger });
    },
    stop: async () => undefined,
  };
}

/** On the broker that `npm test` shares between projects, else on one of its own. */
export function kafkaTransport(): Transport & { brokers(): string[] } {
  let brokers: string[] = [];
  let own: OwnKafka | undefined;
  return {
    name: 'Kafka',
    brokers: () => brokers,
    async start() {
      const shared = process.env.MLEDGER_TEST_KAFKA_BROKERS;
      if (!shared) own = await startOwnKafka();
      brokers = shared ? shared.split(',') : own!.kafka.brokers;
    },
    open: async (installation) => openKafkaBus(brokers, installation),
    async stop() {
      await own?.stop();
    },
  };
}

export function openKafkaBus(brokers: readonly string[], installation: string): KafkaBus {
  return new KafkaBus({
    brokers,
    clientId: 'event-bus-test',
    namespace: `${installation}.`,
    replicationFactor: 1,
    // The least that a broker allows: a killed replica is found out sooner.
    sessionMs: 6_000,
    logger: testLogger,
    onFatal(error) {
      throw error;
    },
  });
}

export interface OwnKafka {
  readonly kafka: Kafka;
  stop(): Promise<void>;
}

export async function startOwnKafka(): Promise<OwnKafka> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'mledger-bus-kafka-'));
  const kafka = await startKafka({ dataFolder });
  return {
    kafka,
    async stop() {
      await kafka.stop();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}
