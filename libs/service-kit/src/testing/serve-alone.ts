import { MasterKey } from '@mledger/access-control';
import { TOPICS } from '@mledger/contracts';
import { InProcessBus } from '@mledger/event-bus';
import { openObjectStore } from '@mledger/object-store';
import { loadConfig } from '../config';
import { Logger } from '../logger';
import type { ServiceDefinition } from '../service-definition';
import { startService } from '../start-service';

/** What `serveAlone` says. */
export const SERVING_URL = /^(http:\S+)$/m;

/** The main program of a service that a test kills: alone on DATABASE_URL and MLEDGER_HOME. Says its URL on standard output. */
export async function serveAlone(definition: ServiceDefinition): Promise<void> {
  const config = loadConfig();
  const { databaseUrl } = config;
  if (databaseUrl === undefined) throw new Error('DATABASE_URL is needed');
  const bus = await InProcessBus.open({
    url: databaseUrl,
    logger: Logger.create({ service: 'test', level: 'warn' }),
  });
  await bus.ensureTopics(TOPICS);
  const { key: masterKey } = MasterKey.generate();
  const presignSecret = masterKey.keyFor('presign');
  const objectStore = await openObjectStore({ kind: 'disk', root: config.home, presignSecret });
  const service = await startService(definition, {
    config,
    databaseUrl,
    bus,
    objectStore,
    masterKey,
  });
  process.stdout.write(`${await service.listen('127.0.0.1', 0)}\n`);
  process.once('SIGTERM', () => void service.stop().then(() => bus.close()));
}
