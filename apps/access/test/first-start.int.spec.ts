import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ROUTES } from '@mledger/contracts';
import { InProcessBus } from '@mledger/event-bus';
import { loadConfig, Logger, startService } from '@mledger/service-kit';
import { createTestDatabase, eventually, startTestService, type TestService } from '@mledger/service-kit/testing';
import { accessService } from '../src/access.definition';
import { EnvironmentKeys } from '../src/first-keys/environment-keys';

const ACCESS_ROUTES = ROUTES.filter(({ service }) => service === 'access');
const silent = Logger.create({ service: 'test', level: 'silent' });

describe('the first start of access', () => {
  let test: TestService;
  const told: string[] = [];
  beforeAll(async () => {
    test = await startTestService(accessService, {
      env: { MLEDGER_AUTH: 'keys' },
      runtime: { announce: (line) => void told.push(line) },
    });
  });
  afterAll(() => test.stop());

  const another = async (env: Record<string, string>, databaseUrl = test.runtime.databaseUrl) => {
    const bus = await InProcessBus.open({ url: databaseUrl, logger: silent });
    const config = loadConfig({ MLEDGER_AUTH: 'keys', MLEDGER_HOME: test.runtime.config.home, ...env });
    const service = await startService(accessService, { ...test.runtime, config, bus, databaseUrl });
    return {
      service,
      stop: async () => {
        await service.stop();
        await bus.close();
      },
    };
  };
  const caller = (service: { app: TestService['service']['app'] }, key: { keyId: string; secret: string }) =>
    service.app.inject({
      url: '/api/mledger/v1/caller',
      headers: { host: 'x', authorization: `Bearer ${key.keyId}.${key.secret}` },
    });

  it('tells keys that work, and a second one tells nothing', async () => {
    expect(told).toHaveLength(2);
    const keys = told.map((line) => ({
      keyId: /id: +(\S+)/.exec(line)![1]!,
      secret: /secret access key: (\S+)/.exec(line)![1]!,
    }));
    const tenants = await Promise.all(keys.map(async (key) => (await caller(test.service, key)).json().tenant));
    expect(tenants).toEqual(['system', 'default']);
    const second = await another({});
    expect(told).toHaveLength(2);
    expect((await caller(second.service, keys[0]!)).statusCode).toBe(200);
    await second.stop();
  });

  it('is made once when two replicas start at the same time', async () => {
    const database = await createTestDatabase();
    const before = told.length;
    const replicas = await Promise.all([another({}, database.url), another({}, database.url)]);
    try {
      const created = await eventually(async () => {
        const events = await replicas[0].service.log.store.readLog({ afterSeq: 0, limit: 100 });
        const tenants = events.filter(({ type }) => type === 'TenantCreated').map(({ tenant }) => tenant);
        expect(tenants.sort()).toEqual(['default', 'system']);
        return tenants;
      });
      expect(told.length - before).toBe(created.length);
    } finally {
      await Promise.all(replicas.map((replica) => replica.stop()));
      await database.drop();
    }
  });

  it('lets a key of the environment in that came later, but not one that was revoked', async () => {
    const key = { keyId: 'AKIAJLATERKEY0000000Q', secret: 'later-secret-later-secret-later-secret' };
    const env = { MLEDGER_ACCESS_KEY_ID: key.keyId, MLEDGER_SECRET_ACCESS_KEY: key.secret };
    const later = await another(env);
    expect((await caller(later.service, key)).json()).toMatchObject({ tenant: 'default', name: 'admin' });
    const authorization = `Bearer ${key.keyId}.${key.secret}`;
    const url = `/api/mledger/v1/keys/${key.keyId}`;
    expect((await later.service.app.inject({ method: 'DELETE', url, headers: { authorization } })).statusCode).toBe(
      204,
    );
    await later.stop();
    const again = await another(env);
    expect((await caller(again.service, key)).statusCode).toBe(401);
    await again.stop();
  });

  it('makes an admin of whoever comes with a new key of the environment, though the first one is none any more', async () => {
    const envOf = (keyId: string) => ({
      MLEDGER_ACCESS_KEY_ID: keyId,
      MLEDGER_SECRET_ACCESS_KEY: 'rescue-secret-rescue-secret-rescue-secret',
    });
    const keyOf = (keyId: string) => ({ keyId, secret: envOf(keyId).MLEDGER_SECRET_ACCESS_KEY });
    const first = await another(envOf('AKIAJRESCUEKEY00000Q'));
    const ask = async (method: 'POST' | 'PUT', path: string, payload: object) => {
      const authorization = `Bearer ${Object.values(keyOf('AKIAJRESCUEKEY00000Q')).join('.')}`;
      const url = `/api/mledger/v1/${path}`;
      return (await first.service.app.inject({ method, url, headers: { authorization }, payload })).json();
    };
    const { userId: admin } = (await caller(first.service, keyOf('AKIAJRESCUEKEY00000Q'))).json();
    const { userId } = await ask('POST', 'users', { name: 'usurper', roles: ['admin'] });
    await ask('POST', 'keys', { userId });
    expect(await ask('PUT', `users/${admin}/roles`, { roles: ['reader'] })).toEqual({
      userId: admin,
      roles: ['reader'],
    });
    await first.stop();

    const second = await another(envOf('AKIAJRESCUEKEY00001Q'));
    const rescued = (await caller(second.service, keyOf('AKIAJRESCUEKEY00001Q'))).json();
    expect(rescued).toMatchObject({ roles: ['admin'], name: 'admin-AKIAJRESCUEKEY00001Q' });
    // Not the one who was demoted: their other keys must not become an admin's.
    expect(rescued.userId).not.toBe(admin);
    // Of two replicas that start with a key at once, one does it.
    const context = { tenant: 'default', actor: 'user:first-start', cause: 'start', correlation: 'start' };
    const admit = () => second.service.app.get(EnvironmentKeys).admit(keyOf('AKIAJRESCUEKEY00002Q'), context);
    await Promise.all([admit(), admit()]);
    expect((await caller(second.service, keyOf('AKIAJRESCUEKEY00002Q'))).json()).toMatchObject({ roles: ['admin'] });
    await second.stop();
  });

  it('rebuilds its directory to the same bytes', async () => {
    const { log } = test.service;
    const rows = async () =>
      JSON.stringify(await log.dataSource.query('select * from access_directory order by tenant, kind, id'));
    const live = await rows();
    await log.rebuild('access_directory');
    expect(await rows()).toBe(live);
    expect(JSON.parse(live).length).toBeGreaterThan(5);
  });

  it.each(ACCESS_ROUTES.filter(({ role }) => role !== 'public').map(({ method, path }) => [method, path] as const))(
    'asks for credentials on %s %s',
    async (method, path) => {
      const url = path.replace(/\{\w+\}/g, 'x');
      expect((await test.inject({ method, url })).statusCode).toBe(401);
    },
  );
});

describe('access as a process of its own', () => {
  it('names what its environment lacks, and ends', async () => {
    const { DATABASE_URL: _, ...env } = process.env;
    const main = join(__dirname, '../dist/main.js');
    const service = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const [message, code] = await Promise.all([
      text(service.stderr),
      new Promise((resolve) => service.once('exit', resolve)),
    ]);
    expect(code).toBe(78);
    for (const name of ['DATABASE_URL', 'MLEDGER_MASTER_KEY', 'KAFKA_BROKERS', 'S3_BUCKET'])
      expect(message).toContain(`${name}: is needed`);
  });
});
