import { readFile, stat } from 'node:fs/promises';
import { eventually, startTestService, type TestService } from '@mledger/service-kit/testing';
import { accessService } from '../src/access.definition';

const FIRST = { keyId: 'AKIAJFIRSTKEY0000000Q', secret: 'first-secret-first-secret-first-secret' };
const SYSTEM = { keyId: 'AKIAJSYSTEMKEY000000Q', secret: 'system-secret-system-secret-system-sec' };

const basic = ({ keyId, secret }: { keyId: string; secret: string }) =>
  `Basic ${Buffer.from(`${keyId}:${secret}`).toString('base64')}`;

describe('access with keys required', () => {
  let test: TestService;
  beforeAll(async () => {
    test = await startTestService(accessService, {
      env: {
        MLEDGER_AUTH: 'keys',
        MLEDGER_ACCESS_KEY_ID: FIRST.keyId,
        MLEDGER_SECRET_ACCESS_KEY: FIRST.secret,
        MLEDGER_SYSTEM_ACCESS_KEY_ID: SYSTEM.keyId,
        MLEDGER_SYSTEM_SECRET_ACCESS_KEY: SYSTEM.secret,
      },
    });
  });
  afterAll(() => test.stop());

  const call = async (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    options: { as?: string; body?: object; headers?: Record<string, string> } = {},
  ) => {
    const answer = await test.inject({
      method,
      url: `/api/mledger/v1/${path}`,
      headers: { ...(options.as !== undefined && { authorization: options.as }), ...options.headers },
      ...(options.body && { payload: options.body }),
    });
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json(), headers: answer.headers };
  };

  const newUser = async (name: string, roles: string[], as = basic(FIRST)) => {
    const user = await call('POST', 'users', { as, body: { name, roles } });
    expect(user.status).toBe(201);
    const key = await call('POST', 'keys', { as, body: { userId: user.body.userId } });
    expect(key.status).toBe(201);
    return { userId: user.body.userId as string, keyId: key.body.keyId as string, secret: key.body.secret as string };
  };

  it('lets the first key in by Basic and by Bearer, and nobody without one', async () => {
    expect((await call('GET', 'caller', { as: basic(FIRST) })).body).toMatchObject({
      tenant: 'default',
      roles: ['admin'],
      name: 'admin',
    });
    expect((await call('GET', 'caller', { as: `Bearer ${FIRST.keyId}.${FIRST.secret}` })).status).toBe(200);
    const nobody = await call('GET', 'caller');
    expect(nobody).toMatchObject({ status: 401, body: { status: 401, code: 'UNAUTHENTICATED' } });
    expect(nobody.headers['content-type']).toContain('application/problem+json');
  });

  it('tells everybody what the API is, whoever they are', async () => {
    const document = await call('GET', 'openapi.json');
    expect(document).toMatchObject({
      status: 200,
      body: { openapi: '3.1.0', paths: { '/caller': expect.anything() } },
    });
    expect(document.headers).toMatchObject({ 'cache-control': 'public, max-age=300' });
    expect(document.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it.each([
    ['a wrong secret', basic({ keyId: FIRST.keyId, secret: SYSTEM.secret })],
    ['an unknown key', basic({ keyId: 'AKIAJNOBODY000000000Q', secret: FIRST.secret })],
    ['an empty secret', basic({ keyId: FIRST.keyId, secret: '' })],
    ['a default password', basic({ keyId: 'admin', secret: 'password' })],
    ['a token of nobody', 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.'],
    ['an unknown scheme', 'Digest username="admin"'],
  ])('refuses %s', async (_name, as) => {
    expect((await call('GET', 'caller', { as })).status).toBe(401);
  });

  it('refuses more than one kind of credential', async () => {
    const answer = await call('GET', 'caller', {
      as: basic(FIRST),
      headers: { cookie: 'internal_auth_session=a.b.c' },
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'SEVERAL_CREDENTIALS' } });
  });

  it('gives users what their roles allow, and no more', async () => {
    const reader = await newUser('rea', ['reader']);
    const own = await call('GET', 'keys', { as: basic(reader) });
    expect(own.body.keys.map((key: { keyId: string }) => key.keyId)).toEqual([reader.keyId]);
    expect((await call('GET', 'users', { as: basic(reader) })).status).toBe(403);
    expect((await call('POST', 'users', { as: basic(reader), body: { name: 'eve', roles: ['admin'] } })).status).toBe(
      403,
    );
    expect((await call('DELETE', `keys/${FIRST.keyId}`, { as: basic(reader) })).status).toBe(403);
    const other = await newUser('otto', ['contributor']);
    expect((await call('POST', 'keys', { as: basic(reader), body: { userId: other.userId } })).status).toBe(403);
    expect(
      (await call('PUT', `users/${reader.userId}/roles`, { as: basic(reader), body: { roles: ['admin'] } })).status,
    ).toBe(403);
  });

  it('changes roles at once', async () => {
    const user = await newUser('una', ['reader']);
    await call('PUT', `users/${user.userId}/roles`, { as: basic(FIRST), body: { roles: ['admin'] } });
    await eventually(async () => expect((await call('GET', 'users', { as: basic(user) })).status).toBe(200));
    await call('PUT', `users/${user.userId}/roles`, { as: basic(FIRST), body: { roles: [] } });
    await eventually(async () => expect((await call('GET', 'users', { as: basic(user) })).status).toBe(403));
  });

  it('refuses a revoked key and a removed user within a second', async () => {
    const user = await newUser('leaver', ['reader']);
    expect((await call('GET', 'caller', { as: basic(user) })).status).toBe(200);
    expect((await call('DELETE', `keys/${user.keyId}`, { as: basic(user) })).status).toBe(204);
    await eventually(async () => expect((await call('GET', 'caller', { as: basic(user) })).status).toBe(401));
    const second = await newUser('leaver-2', ['reader']);
    expect((await call('DELETE', `users/${second.userId}`, { as: basic(FIRST) })).status).toBe(204);
    await eventually(async () => expect((await call('GET', 'caller', { as: basic(second) })).status).toBe(401));
    expect((await call('GET', `users/${second.userId}`, { as: basic(FIRST) })).status).toBe(404);
    expect((await newUser('leaver-2', ['reader'])).userId).not.toBe(second.userId);
  });

  it('keeps names once in a tenant, and says so', async () => {
    await newUser('twin', []);
    const again = await call('POST', 'users', { as: basic(FIRST), body: { name: 'twin', roles: [] } });
    expect(again).toMatchObject({ status: 409, body: { code: 'USER_NAME_TAKEN' } });
  });

  it('names the field of a bad body', async () => {
    const answer = await call('POST', 'users', { as: basic(FIRST), body: { name: '../x', roles: ['owner'] } });
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toMatch(/name: .*; roles\.0: must be one of reader/);
  });

  it('gives the same key for the same Idempotency-Key, and refuses it for another body', async () => {
    const user = await newUser('idem', []);
    const issue = (userId: string) =>
      call('POST', 'keys', { as: basic(FIRST), body: { userId }, headers: { 'idempotency-key': 'once' } });
    const first = await issue(user.userId);
    const second = await issue(user.userId);
    expect(first.status).toBe(201);
    expect(second.body).toEqual(first.body);
    const other = await newUser('idem-2', []);
    expect(await issue(other.userId)).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  });

  it('keeps tenants apart, and lets only system manage them', async () => {
    expect((await call('POST', 'tenants', { as: basic(FIRST), body: { tenantId: 'acme' } })).status).toBe(403);
    const acme = await call('POST', 'tenants', { as: basic(SYSTEM), body: { tenantId: 'acme', adminName: 'ann' } });
    expect(acme.status).toBe(201);
    const admin = basic(acme.body);
    expect((await call('GET', 'caller', { as: admin })).body).toMatchObject({ tenant: 'acme', name: 'ann' });
    const user = await newUser('acme-user', ['reader'], admin);
    expect((await call('GET', `users/${user.userId}`, { as: basic(FIRST) })).status).toBe(404);
    expect((await call('DELETE', `keys/${user.keyId}`, { as: basic(FIRST) })).status).toBe(404);
    expect((await call('PUT', `users/${user.userId}/roles`, { as: basic(FIRST), body: { roles: [] } })).status).toBe(
      404,
    );
    const seen = await call('GET', 'users', { as: admin });
    expect(seen.body.users.map((one: { name: string }) => one.name)).toEqual(['acme-user', 'ann']);

    expect((await call('POST', 'tenants', { as: basic(SYSTEM), body: { tenantId: 'acme' } })).status).toBe(409);
    expect((await call('DELETE', 'tenants/acme', { as: basic(SYSTEM) })).status).toBe(204);
    await eventually(async () => expect((await call('GET', 'caller', { as: admin })).status).toBe(401));
    expect((await call('POST', 'tenants', { as: basic(SYSTEM), body: { tenantId: 'acme' } })).status).toBe(409);
    expect((await call('DELETE', 'tenants/default', { as: basic(SYSTEM) })).status).toBe(403);
  });

  it('refuses a route that no table lists, in the form of its API', async () => {
    expect(
      (await test.inject({ method: 'GET', url: '/api/mledger/v1/nope', headers: { authorization: basic(FIRST) } }))
        .statusCode,
    ).toBe(404);
    const lakefs = await test.inject({ method: 'GET', url: '/api/v1/nope', headers: { authorization: basic(FIRST) } });
    expect(lakefs.statusCode).toBe(404);
    expect(lakefs.json()).toEqual({ message: 'invalid API endpoint' });
  });

  it('never shows a secret again, nor in the log', async () => {
    const user = await newUser('quiet', []);
    const { log } = test.service;
    const events = JSON.stringify(await log.store.readStream(`default/key:${user.keyId}`));
    expect(events).toContain('KeyIssued');
    expect(events).not.toContain(user.secret);
    expect(JSON.stringify((await call('GET', 'keys', { as: basic(FIRST) })).body)).not.toContain(user.secret);
    const all = JSON.stringify(await log.store.readLog({ afterSeq: 0, limit: 10_000 }));
    expect(all).not.toContain('"quiet"');
  });

  describe('as lakeFS clients see it', () => {
    it('logs in, and takes the token and the cookie', async () => {
      const payload = { access_key_id: FIRST.keyId, secret_access_key: FIRST.secret };
      const login = await test.inject({ method: 'POST', url: '/api/v1/auth/login', payload });
      expect(login.statusCode).toBe(200);
      const { token, token_expiration: expiration } = login.json();
      expect(expiration * 1000).toBeGreaterThan(Date.now());
      const bearer = await test.inject({ url: '/api/v1/user', headers: { authorization: `Bearer ${token}` } });
      expect(bearer.json()).toMatchObject({ user: { id: 'admin' } });
      const cookie = String(login.headers['set-cookie']);
      expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
      const withCookie = { cookie: cookie.split(';')[0]! };
      expect((await test.inject({ url: '/api/v1/user', headers: withCookie })).json().user.id).toBe('admin');
      const foreign = { ...withCookie, origin: 'https://evil.example' };
      expect((await test.inject({ url: '/api/v1/user', headers: foreign })).statusCode).toBe(403);
    });

    it('refuses a wrong login and wrong credentials, and answers nobody as nobody', async () => {
      const payload = { access_key_id: FIRST.keyId, secret_access_key: 'x'.repeat(40) };
      const login = await test.inject({ method: 'POST', url: '/api/v1/auth/login', payload });
      expect(login.statusCode).toBe(401);
      expect(login.json()).toEqual({ message: 'error authenticating request' });
      expect((await test.inject({ url: '/api/v1/user' })).json()).toEqual({ user: { id: '', creation_date: 0 } });
      const wrong = basic({ keyId: FIRST.keyId, secret: 'wrong' });
      expect((await test.inject({ url: '/api/v1/user', headers: { authorization: wrong } })).statusCode).toBe(401);
    });

    it('is set up already, and cannot be again', async () => {
      expect((await test.inject({ url: '/api/v1/setup_lakefs' })).json().state).toBe('initialized');
      const answer = await test.inject({ method: 'POST', url: '/api/v1/setup_lakefs', payload: { username: 'eve' } });
      expect(answer.statusCode).toBe(409);
    });

    it('manages users and their credentials', async () => {
      const as = { authorization: basic(FIRST) };
      const url = '/api/v1/auth/users';
      expect((await test.inject({ method: 'POST', url, headers: as, payload: { id: 'lake' } })).statusCode).toBe(201);
      const key = await test.inject({ method: 'POST', url: `${url}/lake/credentials`, headers: as });
      expect(key.statusCode).toBe(201);
      const { access_key_id: keyId, secret_access_key: secret } = key.json();
      expect(keyId).toMatch(/^AKIAJ[A-Z0-9]{14}Q$/);
      expect(
        (await test.inject({ url: '/api/v1/user', headers: { authorization: basic({ keyId, secret }) } })).json().user
          .id,
      ).toBe('lake');
      const list = await test.inject({ url: `${url}/lake/credentials`, headers: as });
      expect(list.json()).toMatchObject({
        pagination: { has_more: false, results: 1 },
        results: [{ access_key_id: keyId }],
      });
      expect(
        (await test.inject({ method: 'DELETE', url: `${url}/lake/credentials/${keyId}`, headers: as })).statusCode,
      ).toBe(204);
      expect((await test.inject({ url: `${url}?amount=1`, headers: as })).json().pagination.has_more).toBe(true);
    });
  });
});

describe('access on an open machine', () => {
  const told: string[] = [];
  let test: TestService;
  beforeAll(async () => {
    test = await startTestService(accessService, { runtime: { announce: (text) => void told.push(text) } });
  });
  afterAll(() => test.stop());

  it('tells the first keys once and keeps them for its owner’s eyes only', async () => {
    const path = `${test.runtime.config.home}/first-keys.json`;
    const kept = JSON.parse(await readFile(path, 'utf8'));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(Object.keys(kept).sort()).toEqual(['default', 'system']);
    expect(told).toHaveLength(2);
    expect(told.join('\n')).toContain(kept.default.secretAccessKey);
    const key = { keyId: kept.default.accessKeyId, secret: kept.default.secretAccessKey };
    const answer = await test.inject({ url: '/api/mledger/v1/caller', headers: { authorization: basic(key) } });
    expect(answer.json()).toMatchObject({ tenant: 'default', name: 'admin' });
  });

  it('takes a request without credentials for the local admin, and refuses wrong ones', async () => {
    expect((await test.inject({ url: '/api/mledger/v1/caller' })).json()).toMatchObject({
      actor: 'user:local',
      roles: ['admin'],
    });
    const wrong = { authorization: basic({ keyId: 'a', secret: 'b' }) };
    expect((await test.inject({ url: '/api/mledger/v1/caller', headers: wrong })).statusCode).toBe(401);
  });

  it.each([
    ['a foreign host', { host: 'evil.example' }],
    ['a foreign origin', { origin: 'https://evil.example' }],
    ['another port’s page', { host: 'localhost:5050', origin: 'http://localhost:8080' }],
    ['a null origin', { origin: 'null' }],
    ['a cross-site request', { 'sec-fetch-site': 'cross-site' }],
  ])('refuses %s', async (_name, headers) => {
    const answer = await test.inject({
      method: 'POST',
      url: '/api/mledger/v1/users',
      headers,
      payload: { name: 'eve', roles: ['admin'] },
    });
    expect(answer.statusCode).toBe(403);
    const { users } = (await test.inject({ url: '/api/mledger/v1/users' })).json();
    expect(users.map((user: { name: string }) => user.name)).not.toContain('eve');
  });

  it('is set up by a lakeFS client once, with the keys that it sends', async () => {
    const key = {
      access_key_id: 'AKIAIOSFOLQUICKSTART',
      secret_access_key: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    };
    expect((await test.inject({ url: '/api/v1/setup_lakefs' })).json().state).toBe('not_initialized');
    const setup = () =>
      test.inject({ method: 'POST', url: '/api/v1/setup_lakefs', payload: { username: 'quickstart', key } });
    const done = await setup();
    expect(done.statusCode).toBe(200);
    expect(done.json()).toMatchObject(key);
    expect((await setup()).statusCode).toBe(409);
    const as = basic({ keyId: key.access_key_id, secret: key.secret_access_key });
    await eventually(async () => {
      const user = await test.inject({ url: '/api/v1/user', headers: { authorization: as } });
      expect(user.json()).toMatchObject({ user: { id: 'quickstart' } });
    });
  });

  it('refuses to be set up with a weak secret', async () => {
    const fresh = await startTestService(accessService);
    try {
      const key = { access_key_id: 'admin', secret_access_key: 'password' };
      const answer = await fresh.inject({
        method: 'POST',
        url: '/api/v1/setup_lakefs',
        payload: { username: 'a', key },
      });
      expect(answer.statusCode).toBe(400);
      expect((await fresh.inject({ url: '/api/v1/setup_lakefs' })).json().state).toBe('not_initialized');
    } finally {
      await fresh.stop();
    }
  });
});
