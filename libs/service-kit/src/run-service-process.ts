import { setTimeout as pause } from 'node:timers/promises';
import { KafkaBus } from '@mledger/event-bus';
import { TOPICS } from '@mledger/contracts';
import { openObjectStore } from '@mledger/object-store';
import { Client } from 'pg';
import { CannotStart, ConfigError, loadConfig, type Config } from './config';
import { Logger } from './logger';
import { startService, type RunningService } from './start-service';
import type { Runtime, ServiceDefinition } from './service-definition';

/**
 * A replica that was killed holds its partitions for so long, and its successor refuses everybody until it has them: the
 * outage of a crash. Three heartbeats, and above what Kafka takes at least (6 s).
 */
const SESSION_MS = 10_000;
const READY_POLL_MS = 100;
/** After that, it is better that /health/ready can be asked what is missing. */
const LISTEN_AFTER_MS_MAX = 60_000;

/**
 * A service as its own process: a member of a cluster. Ends the process with 78 (EX_CONFIG) when the environment is not as it
 * must be, with 1 when it cannot start or its consumer cannot be revived; SIGTERM and SIGINT stop it in order.
 */
export function runServiceProcess(definition: ServiceDefinition): void {
  run(definition).catch((error: unknown) => {
    const isTold = error instanceof ConfigError || error instanceof CannotStart;
    process.stderr.write(`mledger ${definition.name}: ${isTold ? error.message : (error as Error).stack}\n`);
    process.exit(error instanceof ConfigError ? 78 : 1);
  });
}

async function run(definition: ServiceDefinition): Promise<void> {
  // The SDK is pinned to the last version for this Node, so its advice to upgrade helps nobody who reads logs.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const config = loadConfig();
  const logger = Logger.create({ service: definition.name, level: config.logLevel });
  const runtime = await clusterRuntime(definition.name, config, logger);
  const service = await startService(definition, runtime);
  const stop = async (signal: string) => {
    logger.info({ signal }, 'stopping');
    await service.stop();
    await runtime.bus.close();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  await readyToServe(service);
  const url = await service.listen(config.host, config.port);
  logger.info({ url }, 'listening');
}

/** Until then connections are refused, so that the gateway takes another replica, or waits, where a 503 would reach the client. */
async function readyToServe(service: RunningService): Promise<void> {
  const untilMs = performance.now() + LISTEN_AFTER_MS_MAX;
  while ((await service.unreadyReasons()).length > 0 && performance.now() < untilMs) await pause(READY_POLL_MS);
}

/**
 * @throws ConfigError naming what a cluster needs and the environment does not say
 * @throws CannotStart naming the variable that leads to something that cannot be used
 */
export async function clusterRuntime(clientId: string, config: Config, logger: Logger): Promise<Runtime> {
  const { databaseUrl, masterKey, kafkaBrokers, s3 } = config;
  const problems = [
    ...(databaseUrl === undefined ? ['DATABASE_URL: is needed'] : []),
    ...(masterKey === undefined ? ['MLEDGER_MASTER_KEY: is needed, the same for every service'] : []),
    ...(kafkaBrokers.length === 0 ? ['KAFKA_BROKERS: is needed'] : []),
    ...(s3 === undefined ? ['S3_BUCKET: is needed'] : []),
  ];
  if (databaseUrl === undefined || masterKey === undefined || s3 === undefined || problems.length > 0)
    throw new ConfigError(problems);
  await reach('DATABASE_URL', () => connectOnce(databaseUrl));
  const objectStore = await reach(s3.endpoint === undefined ? 'S3_BUCKET' : 'S3_ENDPOINT, S3_BUCKET', () =>
    openObjectStore({ kind: 's3', ...s3 }),
  );
  const bus = new KafkaBus({
    brokers: kafkaBrokers,
    clientId: `mledger-${clientId}`,
    replicationFactor: config.kafkaReplication,
    sessionMs: SESSION_MS,
    logger,
    onFatal: (error) => {
      logger.error({ error }, 'the bus cannot go on: ending, to be started anew');
      process.exit(1);
    },
  });
  await reach('KAFKA_BROKERS', () => bus.ensureTopics(TOPICS));
  return { config, databaseUrl, masterKey, bus, objectStore };
}

/** @throws CannotStart naming the variables */
async function reach<T>(variables: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new CannotStart(`${variables}: cannot be used: ${reasonOf(error as Error)}`, { cause: error });
  }
}

/** A name with several addresses fails once for each, and S3 answers a HEAD without a word. */
function reasonOf(error: Error & { errors?: readonly Error[]; $metadata?: { httpStatusCode?: number } }): string {
  const { message, errors = [], $metadata } = error;
  const status = $metadata?.httpStatusCode;
  if (status !== undefined) return `it answered with status ${status} (${message})`;
  return message || errors.map((one) => one.message).join(', ') || error.name;
}

async function connectOnce(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.end();
}
