import { gzipSync } from 'node:zlib';
import { eventually, startTestService, type TestService } from '../src/testing';
import { JSON_BYTES_MAX } from '../src';
import { mlflowProbe, ownProbe, reached } from './probes';

const PIPELINE = '/api/mledger/v1/pipelines/retrain';

describe('the edge of a service', () => {
  let test: TestService;
  beforeAll(async () => {
    // It fails on purpose here, which would be logged.
    test = await startTestService(ownProbe, { env: { LOG_LEVEL: 'silent' } });
  });
  afterAll(() => test.stop());
  beforeEach(() => {
    reached.length = 0;
  });

  const put = (payload: string | Buffer, headers: Record<string, string> = {}) =>
    test.inject({ method: 'PUT', url: PIPELINE, payload, headers: { 'content-type': 'application/json', ...headers } });

  it('answers with an id of its own making', async () => {
    const answer = await put('{"a":1}', { 'x-request-id': 'mine' });
    expect(answer.json()).toEqual({
      name: 'retrain',
      body: { a: 1 },
      caller: { tenant: 'default', actor: 'user:local' },
    });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it('reads a target of 200 KiB, as a filter with thousands of ids is', async () => {
    const listening = await startTestService(ownProbe, { listen: true });
    const answer = await fetch(`${listening.url}${PIPELINE}?filter=${'x'.repeat(200 * 1024)}`, { method: 'PUT' });
    expect(answer.status).toBe(200);
    await listening.stop();
  });

  it('takes a body that is empty, or JSON under another name, or compressed', async () => {
    expect((await put('')).json().body).toBeUndefined();
    expect((await put('{}', { 'content-type': 'application/merge-patch+json' })).json().body).toEqual({});
    expect((await put(gzipSync('{"a":[1]}'), { 'content-encoding': 'gzip' })).json().body).toEqual({ a: [1] });
  });

  it.each([
    ['is over the limit', `"${'x'.repeat(JSON_BYTES_MAX)}"`, {}, 413],
    ['inflates a thousand times', gzipSync(`"${' '.repeat(64 * 1024 * 1024)}"`), { 'content-encoding': 'gzip' }, 413],
    ['is not what its encoding says', '{}', { 'content-encoding': 'gzip' }, 400],
    ['is in an unknown encoding', '{}', { 'content-encoding': 'zstd' }, 415],
    ['reaches for a prototype', '{"__proto__":{"admin":true}}', {}, 400],
    ['reaches for it in escapes', '{"\\u005f_proto__":{"admin":true}}', {}, 400],
    ['reaches for a constructor', '{"constructor":{"prototype":{}}}', {}, 400],
    ['has a key twice', '{"role":"reader","role":"admin"}', {}, 400],
    ['has a key twice, once in escapes', '{"role":"reader","\\u0072ole":"admin"}', {}, 400],
    ['is nested 10,000 deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, {}, 400],
    ['has an integer past 2^53', '{"n":9007199254740993}', {}, 400],
    ['has a number past all doubles', '{"n":1e400}', {}, 400],
    ['holds NUL', '{"a":"\\u0000"}', {}, 400],
    ['holds a lone surrogate', '{"a":"\\ud800"}', {}, 400],
    ['is not UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}, 400],
    ['is not JSON', '{"a":', {}, 400],
    ['is a form', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['is JSON that calls itself text', '{}', { 'content-type': 'text/plain' }, 415],
    ['has no type that can be read', '{}', { 'content-type': '???' }, 415],
  ])('refuses a body that %s', async (_name, payload, headers, status) => {
    const answer = await put(payload, headers as Record<string, string>);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ status, instance: PIPELINE, requestId: answer.headers['x-request-id'] });
    expect(reached).toEqual([]);
  });

  it.each([
    ['NUL', '/api/mledger/v1/pipelines/a%00b'],
    ['NUL in its query', `${PIPELINE}?limit=%00`],
    ['bytes that are not UTF-8', '/api/mledger/v1/pipelines/%ff'],
    ['bytes that are not UTF-8 in its query', `${PIPELINE}?limit=%ff`],
  ])('refuses a target with %s', async (_name, url) => {
    const answer = await test.inject({ url });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    const requestId = answer.headers['x-request-id'];
    expect(requestId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(answer.json()).toMatchObject({ status: 400, requestId });
  });

  it('names the field of a bad parameter', async () => {
    const answer = await test.inject({ url: `${PIPELINE}?limit=11` });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'INVALID', details: { fields: [{ field: 'limit' }] } });
  });

  it('takes names longer than a router would by itself', async () => {
    const name = 'n'.repeat(1000);
    expect((await test.inject({ url: `/api/mledger/v1/pipelines/${name}` })).json()).toEqual({ name, limit: 1 });
  });

  it.each([
    ['refused', 409, 'RUN_EXISTS', 'there is a run'],
    ['conflict', 412, 'VERSION_CONFLICT', 'at version 4, not 3'],
    ['api', 404, 'NOT_FOUND', 'no such pipeline'],
    ['bug', 500, 'INTERNAL', 'the request id finds it in the logs'],
  ])('tells %s as a problem of RFC 9457', async (name, status, code, detail) => {
    const answer = await test.inject({ method: 'POST', url: `/api/mledger/v1/pipelines/${name}/runs`, payload: {} });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ status, code, detail: expect.stringContaining(detail) });
    expect(answer.body).not.toContain('hunter2');
  });

  it('computes a command id from the Idempotency-Key, and a version from If-Match', async () => {
    const write = async (headers: Record<string, string>, body = '{}') => (await put(body, headers)).json().caller;
    const first = await write({ 'idempotency-key': 'k1', 'if-match': '"7"' });
    expect(first.expectedVersion).toBe(7);
    expect(await write({ 'idempotency-key': 'k1', 'if-match': '"7"' })).toEqual(first);
    const other = await write({ 'idempotency-key': 'k1' }, '{"a":1}');
    expect(other.commandId).toBe(first.commandId);
    expect(other.requestHash).not.toBe(first.requestHash);
    expect((await write({ 'idempotency-key': 'k2' })).commandId).not.toBe(first.commandId);
    expect((await put('{}', { 'if-match': '*' })).statusCode).toBe(400);
    expect((await put('{}', { 'idempotency-key': 'a b' })).statusCode).toBe(400);
  });

  it('answers health, readiness and metrics', async () => {
    expect((await test.inject({ url: '/health/live' })).json()).toEqual({ status: 'live' });
    expect((await test.inject({ url: '/health/ready' })).json()).toEqual({ status: 'ready', reasons: [] });
    await test.inject({ url: PIPELINE });
    const metrics = (await test.inject({ url: '/metrics' })).body;
    expect(metrics).toMatch(
      /mledger_http_request_duration_seconds_count\{.*method="GET",route="\/api\/mledger\/v1\/pipelines\/\{name\}",status="200".*\} \d+/,
    );
    for (const name of [
      'mledger_log_head_seq',
      'mledger_relay_lag_events',
      'mledger_consumer_lag_events',
      'nodejs_eventloop_lag',
    ])
      expect(metrics).toContain(name);
  });

  it('verifies its log, lists what is parked, rebuilds what it is asked to', async () => {
    const base = '/api/mledger/v1/services/pipelines';
    expect((await test.inject({ url: `${base}/verify` })).json()).toMatchObject({ ok: true });
    expect((await test.inject({ url: `${base}/verify?checkpoint=nonsense` })).statusCode).toBe(400);
    expect((await test.inject({ url: `${base}/parked` })).json()).toEqual({ parked: [] });
    expect((await test.inject({ method: 'POST', url: `${base}/parked/9/replay` })).statusCode).toBe(404);
    expect((await test.inject({ method: 'POST', url: `${base}/parked/x/replay` })).statusCode).toBe(400);
    expect((await test.inject({ method: 'POST', url: `${base}/projections/nope/rebuild` })).statusCode).toBe(404);
  });

  it.each([
    ['GET', '/api/mledger/v1/secrets'],
    ['PATCH', PIPELINE],
    ['GET', '/api/mledger/v1/pipelines/a/b/c/d'],
    ['GET', '/api/mledger/v1/pipelines/'],
    ['GET', '/.s3/bucket/key'],
    ['OPTIONS', PIPELINE],
  ] as const)('refuses %s %s, which no table lists', async (method, url) => {
    expect((await test.inject({ method, url })).statusCode).toBe(404);
    expect(reached).toEqual([]);
  });

  it('does not start with a route that the table does not list', async () => {
    await expect(startTestService({ ...ownProbe, name: 'ledger' })).rejects.toThrow(
      /not in the table of routes .*PUT \/api\/mledger\/v1\/pipelines\/:name/,
    );
  });
});

describe('the edge with keys required', () => {
  let test: TestService;
  beforeAll(async () => {
    test = await startTestService(ownProbe, { env: { MLEDGER_AUTH: 'keys' } });
  });
  afterAll(() => test.stop());

  it.each([
    ['GET', PIPELINE],
    ['PUT', PIPELINE],
    ['DELETE', PIPELINE],
    ['GET', '/metrics'],
    ['GET', '/api/mledger/v1/services/pipelines/verify'],
    ['GET', '/api/mledger/v1/services/pipelines/parked'],
    ['POST', '/api/mledger/v1/services/pipelines/parked/1/discard'],
    ['POST', '/api/mledger/v1/services/pipelines/projections/x/rebuild'],
  ] as const)('asks for credentials on %s %s', async (method, url) => {
    const answer = await test.inject({ method, url });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('Basic');
  });

  it('lets a key in that was issued a moment ago, and one that nobody knows not at all', async () => {
    const { authorization } = await test.access!.issueKey({ roles: ['admin'] });
    expect((await test.inject({ method: 'GET', url: PIPELINE, headers: { authorization } })).statusCode).toBe(200);
    const unknown = { authorization: `Basic ${Buffer.from('AKIAJNOBODY:secret').toString('base64')}` };
    const refused = await test.inject({ method: 'GET', url: PIPELINE, headers: unknown });
    expect([refused.statusCode, refused.json().code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('asks for the role of the table, and for the tenant of the installation where it is about all', async () => {
    const reader = await test.access!.issueKey({ roles: ['reader'] });
    const admin = await test.access!.issueKey({ roles: ['admin'] });
    await test.access!.createTenant('system');
    const operator = await test.access!.issueKey({ tenant: 'system', roles: ['admin'] });
    const as = (key: typeof reader, method: 'GET' | 'PUT' | 'POST', url: string) =>
      test.inject({ method, url, headers: { authorization: key.authorization } });
    const rebuild = '/api/mledger/v1/services/pipelines/projections/nope/rebuild';
    // The events travel over the bus first.
    await eventually(async () => expect((await as(operator, 'GET', PIPELINE)).statusCode).toBe(200));
    expect((await as(reader, 'GET', PIPELINE)).statusCode).toBe(200);
    expect((await as(reader, 'PUT', PIPELINE)).statusCode).toBe(403);
    expect((await as(admin, 'PUT', PIPELINE)).statusCode).toBe(200);
    expect((await as(admin, 'POST', rebuild)).statusCode).toBe(403);
    expect((await as(operator, 'POST', rebuild)).statusCode).toBe(404);
  });
});

describe('the edge for MLflow', () => {
  let test: TestService;
  beforeAll(async () => {
    test = await startTestService(mlflowProbe);
  });
  afterAll(() => test.stop());

  it('keeps 64-bit integers, as strings', async () => {
    const payload = '{"start_time":9223372036854775807,"small":1,"list":[-9223372036854775808]}';
    const headers = { 'content-type': 'application/json' };
    const answer = await test.inject({ method: 'POST', url: '/api/2.0/mlflow/runs/create', payload, headers });
    expect(answer.json()).toEqual({ start_time: '9223372036854775807', small: 1, list: ['-9223372036854775808'] });
  });

  it('tells refusals with MLflow’s codes', async () => {
    const exists = await test.inject({ url: '/api/2.0/mlflow/runs/get' });
    expect(exists.statusCode).toBe(400);
    expect(exists.json()).toEqual({ error_code: 'RESOURCE_ALREADY_EXISTS', message: 'there is a run' });
    const unlisted = await test.inject({ url: '/api/2.0/mlflow/nope' });
    expect(unlisted.json()).toMatchObject({ error_code: 'ENDPOINT_NOT_FOUND' });
  });

  it.each(['text/html', '???', 'application/json', undefined])('streams a body of type %s as it is', async (type) => {
    const answer = await test.inject({
      method: 'PUT',
      url: '/api/2.0/mlflow-artifacts/artifacts/a/b.txt',
      payload: Buffer.from('{"not": parsed'),
      headers: type === undefined ? {} : { 'content-type': type },
    });
    expect(answer.json()).toEqual({ type, bytes: 14 });
  });
});
