import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type RequestOptions, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { SERVICE_NAMES, type ServiceName } from '@mledger/contracts';
import { eventually, TestProcess } from '@mledger/service-kit/testing';
import { Backend, readAll, type Seen } from './backend';

const backends: Backend[] = [];
const gateways: TestProcess[] = [];

const backend: typeof Backend.start = async (...given) => {
  const started = await Backend.start(...given);
  backends.push(started);
  return started;
};

const LISTENING = /"url":"([^"]+)"/;

/** The built gateway on a free port. @param urls the replicas of each service; one that is not named has none */
function spawnGateway(urls: Partial<Record<ServiceName, readonly string[]>>): TestProcess {
  const variables = SERVICE_NAMES.map((name) => [`MLEDGER_${name.toUpperCase()}_URL`, urls[name]?.join(',') ?? '']);
  const environment = { ...Object.fromEntries(variables), MLEDGER_PORT: '0', LOG_LEVEL: 'info' };
  return TestProcess.spawn(join(__dirname, '../dist/main.js'), environment);
}

/** A gateway in front of a backend for each service; those named are as the test wants them. */
async function gatewayBefore(given: Partial<Record<ServiceName, readonly string[]>> = {}) {
  const names = SERVICE_NAMES.filter((name) => given[name] === undefined);
  const started = await Promise.all(names.map(async (name) => [name, [(await backend(name)).url]] as const));
  const gateway = spawnGateway({ ...Object.fromEntries(started), ...given });
  gateways.push(gateway);
  return { gateway, url: await gateway.says(LISTENING) };
}

/** An address that refuses connections. */
async function deadUrl(): Promise<string> {
  const gone = await Backend.start('gone');
  const { url } = gone;
  await gone.stop();
  return url;
}

/** Sends a target as it stands: `fetch` would tidy it. */
function open(url: string, target: string, options: RequestOptions = {}) {
  const { hostname, port } = new URL(url);
  return httpRequest({ hostname, port, path: target, agent: false, ...options });
}

async function send(url: string, target: string, options: RequestOptions & { body?: string } = {}) {
  const request = open(url, target, options).end(options.body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await readAll(response) };
}

const sees = async (...given: Parameters<typeof send>) => JSON.parse((await send(...given)).body) as Seen;

afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop('SIGKILL')));
  await Promise.all(backends.map((started) => started.stop()));
});

describe('the gateway', () => {
  let url: string;
  beforeAll(async () => void ({ url } = await gatewayBefore()));

  it.each([
    ['POST', '/api/2.0/mlflow/experiments/create', 'experiments'],
    ['GET', '/ajax-api/2.0/mlflow/runs/get?run_id=1', 'experiments'],
    ['POST', '/api/2.0/mlflow/registered-models/create', 'registry'],
    ['GET', '/api/v1/repositories/flights/branches', 'versioning'],
    ['GET', '/api/v1/auth/users', 'access'],
    ['POST', '/v2/models/iris/infer', 'serving'],
    ['POST', '/endpoints/iris/invocations', 'serving'],
    ['POST', '/api/mledger/v1/endpoints/iris/labels', 'monitoring'],
    ['PUT', '/api/mledger/v1/pipelines/retrain', 'pipelines'],
    ['GET', '/api/mledger/v1/events?after=x', 'ledger'],
    ['GET', '/api/mledger/v1/services/registry/parked', 'registry'],
  ])('gives %s %s to %s', async (method, target, service) => {
    expect(await sees(url, target, { method })).toMatchObject({ by: service, method, target });
  });

  it.each([
    ['a V4 header', '/api/2.0/mlflow/runs/search', { authorization: 'AWS4-HMAC-SHA256 Credential=A/x' }],
    ['a V2 header', '/', { authorization: 'AWS AKIAJ:c2ln' }],
    ['a V4 query', '/health/live?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=ab', {}],
    ['a V2 query', '/v2/models/iris?AWSAccessKeyId=AKIAJ&Signature=ab&Expires=1', {}],
  ])('gives what has an AWS signature by %s to versioning, whatever its path', async (_name, target, headers) => {
    expect(await sees(url, target, { headers })).toMatchObject({ by: 'versioning', target });
  });

  it.each(['/nothing', '/api/v1/nothing', '/api/mledger/v1/events/', '//api/v1/repositories', '/api/v1/../v1/config'])(
    'gives %s, which nobody owns, to access, which knows the caller and refuses',
    async (target) => {
      expect(await sees(url, target)).toMatchObject({ by: 'access', target });
    },
  );

  it.each(['a%2Fb', '%2e%2e%2fb', 'a;v=1', 'a//b', 'a+b%20c', '%', '..', "a'(!*)|[]"])(
    'keeps %s in a target as it stands',
    async (name) => {
      const target = `/api/2.0/mlflow-artifacts/artifacts/${name}?path=${name}&path=`;
      expect((await sees(url, target)).target).toBe(target);
    },
  );

  it('keeps Host and every other header, and drops those between neighbours', async () => {
    const headers = [
      ['Host', 'models.example:8443'],
      ['X-Case-Kept', 'once'],
      ['X-Case-Kept', 'twice'],
      ['Authorization', 'Basic YTpi'],
      ['Keep-Alive', 'timeout=9'],
      ['TE', 'trailers'],
    ];
    const { rawHeaders } = await sees(url, '/v2', { headers: headers.flat() as unknown as RequestOptions['headers'] });
    const pairs = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []));
    expect(pairs).toEqual(
      expect.arrayContaining(['Host: models.example:8443', 'X-Case-Kept: once', 'X-Case-Kept: twice']),
    );
    expect(pairs.filter((pair) => /^(host|te|keep-alive):/i.test(pair))).toEqual(['Host: models.example:8443']);
  });

  it.each(['GET', 'DELETE', 'POST'])('keeps a chunked body of a %s inside its request', async (method) => {
    // Without its framing, the body would be read as a request of its own: of the next user of the connection.
    const body = 'GET /v2/models/smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
    const seen = await sees(url, '/v2', { method, headers: { 'Transfer-Encoding': 'chunked' }, body });
    expect(seen).toMatchObject({ method, target: '/v2', body });
    expect(await sees(url, '/v2/next')).toMatchObject({ target: '/v2/next' });
  });

  it('passes a target of 200 KiB on, as a filter with thousands of ids is', async () => {
    const { url } = await gatewayBefore();
    const target = `/api/2.0/mlflow/model-versions/search?filter=${'x'.repeat(200 * 1024)}`;
    expect((await sees(url, target)).target).toBe(target);
  });

  it('answers its own health, and names the service that is not ready', async () => {
    expect(await send(url, '/health/live')).toMatchObject({ status: 200 });
    expect(await send(url, '/health/ready')).toMatchObject({ status: 200 });
    const { url: lame } = await gatewayBefore({ serving: [await deadUrl()] });
    const { status, body } = await send(lame, '/health/ready');
    expect(status).toBe(503);
    expect(JSON.parse(body)).toMatchObject({
      services: { access: { ready: true }, serving: { ready: false, reasons: [expect.stringContaining('answer')] } },
    });
  });

  it('serves the console’s page', async () => {
    const { status, headers } = await send(url, '/');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  });
});

describe('bodies', () => {
  it('stream both ways: a part arrives before the whole is sent', async () => {
    const echo = await backend('echo', {
      answer: (request, response) => {
        response.writeHead(200, { 'content-type': 'application/octet-stream' });
        request.pipe(response);
      },
    });
    const { url } = await gatewayBefore({ serving: [echo.url] });
    const request = open(url, '/v2/models/iris/infer', { method: 'POST' });
    request.write('first');
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(String((await once(response, 'data'))[0])).toBe('first');
    request.end('second');
    expect(await readAll(response)).toBe('second');
  });

  it('end broken for the client when the service breaks off, never as if they were whole', async () => {
    const broken = await backend('broken', {
      answer: (_request, response) => {
        response.write('half');
        response.write('', () => response.socket!.destroy());
      },
    });
    const { url } = await gatewayBefore({ serving: [broken.url] });
    await expect(send(url, '/v2')).rejects.toThrow('aborted');
  });
});

describe('replicas', () => {
  it('take turns, and one that refuses connections is skipped', async () => {
    const two = [await backend('one'), await backend('two')];
    const { url } = await gatewayBefore({ registry: [await deadUrl(), ...two.map((replica) => replica.url)] });
    const target = '/api/2.0/mlflow/registered-models/create';
    const by: string[] = [];
    for (let count = 0; count < 6; count += 1) {
      const seen = await sees(url, target, { method: 'POST', body: `{"name":"m${count}"}` });
      expect(seen.body).toBe(`{"name":"m${count}"}`);
      by.push(seen.by);
    }
    expect(new Set(by)).toEqual(new Set(['one', 'two']));
    expect(await send(url, '/health/ready')).toMatchObject({ status: 200 });
  });

  it('that come back in time get what waited for them', async () => {
    const dead = await deadUrl();
    const { url } = await gatewayBefore({ registry: [dead] });
    const waiting = sees(url, '/api/2.0/mlflow/registered-models/create', { method: 'POST', body: 'kept' });
    await backend('back', { port: Number(new URL(dead).port) });
    expect(await waiting).toMatchObject({ by: 'back', body: 'kept' });
  });

  it('that are all down are told as 503, in the form of the API that was called', async () => {
    const down = await Promise.all(SERVICE_NAMES.map(async (name) => [name, [await deadUrl()]] as const));
    const { gateway, url } = await gatewayBefore(Object.fromEntries(down));
    const [mlflow, lakefs, oip, own, s3] = await Promise.all([
      send(url, '/api/2.0/mlflow/experiments/create', { method: 'POST', body: '{}' }),
      send(url, '/api/v1/repositories'),
      send(url, '/v2/models/iris'),
      send(url, '/api/mledger/v1/events'),
      send(url, '/bucket/key', { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=A/x' } }),
    ]);
    expect([mlflow, lakefs, oip, own, s3].map(({ status }) => status)).toEqual([503, 503, 503, 503, 503]);
    const told = (service: string) => `${service} does not answer now: try again in a moment`;
    expect(JSON.parse(mlflow.body)).toEqual({ error_code: 'TEMPORARILY_UNAVAILABLE', message: told('experiments') });
    expect(JSON.parse(lakefs.body)).toEqual({ message: told('versioning') });
    expect(JSON.parse(oip.body)).toEqual({ error: told('serving') });
    expect(own.headers['content-type']).toContain('application/problem+json');
    expect(JSON.parse(own.body)).toMatchObject({
      status: 503,
      detail: told('ledger'),
      instance: '/api/mledger/v1/events',
    });
    expect(s3.body).toContain('<Code>SlowDown</Code>');
    expect(s3.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    // A hundred attempts for one request must not pile up listeners on it.
    expect(gateway.output).not.toContain('MaxListenersExceededWarning');
  });

  it('get a read once more that was cut off before any answer, but never a write', async () => {
    const cut = await backend('cut', { answer: (request) => request.socket.destroy() });
    const whole = await backend('whole');
    const { url } = await gatewayBefore({ registry: [cut.url, whole.url] });
    expect(await sees(url, '/api/2.0/mlflow/registered-models/get')).toMatchObject({ by: 'whole' });
    await sees(url, '/api/2.0/mlflow/registered-models/get');
    const write = await send(url, '/api/2.0/mlflow/registered-models/create', { method: 'POST', body: '{}' });
    expect(write.status).toBe(503);
    expect(whole.requests.filter(({ method }) => method === 'POST')).toEqual([]);
  });
});

describe('an end', () => {
  it('of the client takes the request to the service with it', async () => {
    const held: ServerResponse[] = [];
    const feed = await backend('feed', {
      answer: (_request, response) => {
        response.write('data: 1\n\n');
        held.push(response);
      },
    });
    const { url } = await gatewayBefore({ ledger: [feed.url] });
    const request = open(url, '/api/mledger/v1/events/live');
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await once(response, 'data');
    response.destroy();
    await eventually(() => expect(held[0]!.destroyed).toBe(true));
  });

  it('of the client stops the search for a replica', async () => {
    const dead = await deadUrl();
    const { url } = await gatewayBefore({ registry: [dead] });
    const { hostname, port } = new URL(url);
    const gone = connect({ host: hostname, port: Number(port) });
    gone.write('POST /api/2.0/mlflow/registered-models/create HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
    // A request behind it tells that the first was read before its client goes.
    await send(url, '/health/live');
    gone.destroy();
    await once(gone, 'close');
    await send(url, '/health/live');
    const back = await backend('back', { port: Number(new URL(dead).port) });
    expect(await sees(url, '/api/2.0/mlflow/registered-models/create', { method: 'POST' })).toMatchObject({
      by: 'back',
    });
    expect(back.requests.filter(({ url: target }) => target !== '/health/ready')).toHaveLength(1);
  });

  it('by SIGTERM lets what is in flight finish, and refuses what comes later', async () => {
    const held: ServerResponse[] = [];
    const slow = await backend('slow', { answer: (_request, response) => void held.push(response) });
    const { gateway, url } = await gatewayBefore({ serving: [slow.url] });
    const inFlight = send(url, '/v2/models/iris/infer', { method: 'POST', body: '{}' });
    await eventually(() => expect(held).toHaveLength(1));
    const ended = gateway.stop();
    await eventually(() => expect(send(url, '/health/live')).rejects.toThrow('ECONNREFUSED'));
    held[0]!.end('finished');
    expect(await inFlight).toMatchObject({ status: 200, body: 'finished' });
    expect(await ended).toEqual({ code: 0, signal: null });
  });

  it('by SIGTERM does not wait for feeds, which have no end', async () => {
    const feed = await backend('feed', {
      answer: (_request, response) =>
        void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': \n'),
    });
    const { gateway, url } = await gatewayBefore({ ledger: [feed.url] });
    const request = open(url, '/api/mledger/v1/events/live').end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.on('error', () => undefined).resume();
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  });

  it('with 78 names the variable that is missing', async () => {
    const gateway = spawnGateway({ access: ['http://127.0.0.1:1'] });
    expect((await gateway.ended).code).toBe(78);
    expect(gateway.output).toContain('MLEDGER_REGISTRY_URL: is needed');
    expect(gateway.output).not.toContain('MLEDGER_ACCESS_URL');
  });
});
