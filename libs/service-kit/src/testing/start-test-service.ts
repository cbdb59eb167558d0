import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MasterKey } from '@mledger/access-control';
import { TOPICS } from '@mledger/contracts';
import { InProcessBus } from '@mledger/event-bus';
import { openObjectStore, type ObjectStore } from '@mledger/object-store';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { loadConfig } from '../config';
import { Logger } from '../logger';
import { startService, type RunningService } from '../start-service';
import type { Runtime, ServiceDefinition } from '../service-definition';
import { TestAccessLog } from './access-log';
import { createTestDatabase } from './test-database';
import { eventually } from './eventually';

export interface TestServiceOptions {
  /** Variables of the environment besides the defaults: `{ MLEDGER_AUTH: 'keys' }`. */
  readonly env?: Readonly<Record<string, string>>;
  /** What replaces a part of the runtime: a clock, an object store. */
  readonly runtime?: Partial<Runtime>;
  /** Listen on a free port too; otherwise only `inject` reaches the service. */
  readonly listen?: boolean;
}

export interface TestService {
  readonly service: RunningService;
  /** With `listen`. */
  readonly url: string;
  readonly runtime: Runtime;
  /** Makes tenants, users and keys; absent when the access service itself is under test. */
  readonly access: TestAccessLog | undefined;
  /** A request without a socket, through everything else. */
  inject(request: InjectOptions): Promise<LightMyRequestResponse>;
  stop(): Promise<void>;
}

/** One service on a fresh database, an in-process bus and a folder of its own, in open mode. */
export async function startTestService(
  definition: ServiceDefinition,
  options: TestServiceOptions = {},
): Promise<TestService> {
  const together = await startTestServices([definition], options);
  const [service] = together.services as [RunningService];
  return {
    ...together,
    service,
    url: together.urls.get(definition.name) ?? '',
    inject: (request) => inject(service, request),
  };
}

/** Several services on one bus and one database, a schema each, as in standalone. */
export async function startTestServices(definitions: readonly ServiceDefinition[], options: TestServiceOptions = {}) {
  const home = await mkdtemp(join(tmpdir(), 'mledger-test-'));
  const database = await createTestDatabase();
  const config = loadConfig({ LOG_LEVEL: 'warn', MLEDGER_HOME: home, ...options.env });
  const logger = Logger.create({ service: 'test', level: config.logLevel });
  const { key: masterKey } = MasterKey.generate();
  const bus = options.runtime?.bus ?? (await InProcessBus.open({ url: database.url, logger }));
  await bus.ensureTopics(TOPICS);
  const objectStore: ObjectStore =
    options.runtime?.objectStore ??
    (await openObjectStore({ kind: 'disk', root: home, presignSecret: masterKey.keyFor('presign') }));
  const runtime: Runtime = {
    config,
    databaseUrl: database.url,
    bus,
    objectStore,
    masterKey,
    poolSizeMax: 4,
    announce: () => undefined,
    ...options.runtime,
  };
  const access = definitions.some(({ name }) => name === 'access')
    ? undefined
    : await TestAccessLog.open(runtime, logger);
  const services: RunningService[] = [];
  const stop = async () => {
    await Promise.all(services.map((service) => service.stop()));
    await access?.stop();
    await bus.close();
    await database.drop();
    await rm(home, { recursive: true, force: true });
  };
  try {
    for (const definition of definitions) services.push(await startService(definition, runtime));
    const urls = new Map<string, string>();
    if (options.listen) for (const service of services) urls.set(service.name, await service.listen('127.0.0.1', 0));
    await eventually(async () => {
      const reasons = await Promise.all(services.map((service) => service.unreadyReasons()));
      expectNone(reasons.flat());
    });
    return { services, urls, runtime, access, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function expectNone(reasons: string[]): void {
  if (reasons.length > 0) throw new Error(`not ready: ${reasons.join('; ')}`);
}

function inject(service: RunningService, request: InjectOptions): Promise<LightMyRequestResponse> {
  // Open mode asks for a Host that is ours.
  return service.app.inject({ ...request, headers: { host: 'localhost', ...request.headers } });
}
