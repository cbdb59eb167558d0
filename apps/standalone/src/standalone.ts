import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import type { ServiceName } from '@mledger/contracts';
import {
  ApiError,
  bind,
  createFrontDoor,
  Logger,
  masterKeyOfHome,
  startService,
  staticPage,
  type Config,
  type RunningService,
  type Runtime,
  type ServiceHealth,
} from '@mledger/service-kit';
import { openBus, openDatabase, openObjects, type Database } from './backing';
import { SERVICES } from './services';

/** Embedded Postgres has 100 connections; eight services with these and one each for their loops stay below 60. */
const POOL_SIZE_MAX = 4;

/**
 * Every service in this process, behind one listener, until SIGINT or SIGTERM.
 *
 * @throws an error that says what is in the way: a taken port, a data folder that another process holds, a bad setting
 */
export async function runStandalone(config: Config): Promise<void> {
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const { claimFolder } = await import('@mledger/infra');
  const claim = await claimFolder({ folder: config.home, what: 'MLedger', log: say });
  const services = new Map<ServiceName, RunningService>();
  let ready = false;
  const listener = createFrontDoor({
    page: staticPage(consoleFolder()),
    health: () => healthOf(services),
    deliver: async (name, request, response) => {
      const service = services.get(name);
      if (!service) throw ApiError.unavailable('MLedger is still starting: try again in a moment');
      service.handle(request, response);
    },
  });
  const url = await bind(listener, config.host, config.port);
  say(`MLedger ${version()} is starting at ${url}, its data in ${config.home}`);

  const database = await openDatabase(config, say);
  const stop = await startServices(config, database, services, say);
  const end = async (reason: string, exitCode: number) => {
    ready = false;
    say(`MLedger is stopping: ${reason}`);
    listener.close();
    listener.closeIdleConnections();
    await stop();
    await database.stop();
    claim.release();
    process.exit(exitCode);
  };
  process.once('SIGINT', () => void end('it was interrupted', 0));
  process.once('SIGTERM', () => void end('it was asked to', 0));
  void database.lost.then((reason) => ready && end(reason, 1));
  ready = true;
  say(`MLedger is ready at ${url}`);
}

/** Starts the services one after the other, and gives the function that stops them all. */
async function startServices(
  config: Config,
  database: Database,
  services: Map<ServiceName, RunningService>,
  say: (line: string) => void,
): Promise<() => Promise<void>> {
  const logger = Logger.create({ service: 'standalone', level: config.logLevel });
  const masterKey = await masterKeyOfHome(config);
  const bus = await openBus(config, database.url, logger);
  const objectStore = await openObjects(config, masterKey);
  const runtime: Runtime = {
    config,
    databaseUrl: database.url,
    bus,
    objectStore,
    masterKey,
    poolSizeMax: POOL_SIZE_MAX,
    announce: say,
  };
  for (const definition of SERVICES) services.set(definition.name, await startService(definition, runtime));
  return async () => {
    // All at once: one that waits for another's events must not wait for its end.
    await Promise.all([...services.values()].map((service) => service.stop()));
    await bus.close();
  };
}

async function healthOf(services: ReadonlyMap<ServiceName, RunningService>): Promise<Record<string, ServiceHealth>> {
  const health = SERVICES.map(async ({ name }) => {
    const reasons = (await services.get(name)?.unreadyReasons()) ?? ['it is starting'];
    return [name, { ready: reasons.length === 0, reasons }] as const;
  });
  return Object.fromEntries(await Promise.all(health));
}

function consoleFolder(): string {
  return join(require.resolve('@mledger/console/package.json'), '../dist');
}

function version(): string {
  const file = require.resolve('@mledger/standalone/package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
