import { ROUTES } from '@mledger/contracts';
import { eventually } from '@mledger/service-kit/testing';
import type { TestKey } from '@mledger/service-kit/testing';
import { MATRIX, ServingWorld } from './serving-world';

let world: ServingWorld;
let deployer: TestKey;
let reader: TestKey;
let stranger: TestKey;
beforeAll(async () => {
  world = await ServingWorld.start({ env: { MLEDGER_AUTH: 'keys' } });
  const access = world.kit.access!;
  await access.createTenant('acme');
  [deployer, reader] = [await access.issueKey({ roles: ['deployer'] }), await access.issueKey({ roles: ['reader'] })];
  stranger = await access.issueKey({ tenant: 'acme', roles: ['admin'] });
  await world.registry.createVersion('delay', 1, 'double.onnx');
  await eventually(async () => {
    const answer = await call('PUT', '/api/mledger/v1/endpoints/delay', deployer, { model: 'models:/delay/1' });
    expect(answer.statusCode).toBe(200);
  });
});
afterAll(() => world?.stop());

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';
const call = (method: Method, url: string, key?: { authorization: string }, payload?: object) =>
  world.kit.inject({ method, url, payload, headers: key && { authorization: key.authorization } });

const closed = ROUTES.filter(({ service, role }) => service === 'serving' && role !== 'public').map(
  ({ method, path }) => [method as Method, path.replace('{name}', 'delay').replace('{version}', '1')] as const,
);

/** All but those for operators, which the kit gives every service. */
const ofEndpoints = closed.filter(([, url]) => !url.includes('/services/'));

describe('every route that is not public', () => {
  it.each(closed)('%s %s is closed to who has no key, or a wrong one', async (method, url) => {
    const wrong = { authorization: `Basic ${Buffer.from(`${reader.keyId}:wrong`).toString('base64')}` };
    for (const key of [undefined, wrong]) {
      const answer = await call(method, url, key, method === 'GET' ? undefined : { inputs: [MATRIX] });
      expect(answer.statusCode).toBe(401);
    }
  });

  it.each(ofEndpoints)('%s %s knows nothing of another tenant’s endpoint', async (method, url) => {
    const bodies: Record<string, object> = {
      rollback: { reason: 'x' },
      traffic: { shares: [{ revision: 1, percent: 100 }], reason: 'x' },
      shadows: { revision: 1 },
      invocations: { inputs: [[1, 2]] },
      infer: { inputs: [MATRIX] },
      delay: { model: 'models:/delay/1' },
    };
    const body = bodies[url.split('/').at(-1)!];
    const answer = await call(method, url, stranger, method === 'GET' || method === 'DELETE' ? undefined : body);
    if (url.endsWith('/endpoints')) expect(answer.json()).toEqual({ endpoints: [] });
    else expect(answer.statusCode).toBe(404);
  });
});

it('a reader predicts, and deploys nothing', async () => {
  const own = '/api/mledger/v1/endpoints/delay';
  expect((await call('POST', '/v2/models/delay/infer', reader, { inputs: [MATRIX] })).statusCode).toBe(200);
  for (const [method, path, body] of [
    ['PUT', '', { model: 'models:/delay/1' }],
    ['DELETE', '', undefined],
    ['POST', '/rollback', { reason: 'x' }],
    ['POST', '/traffic', { shares: [{ revision: 1, percent: 100 }], reason: 'x' }],
    ['POST', '/shadows', { revision: 1 }],
  ] as const) {
    expect((await call(method, `${own}${path}`, reader, body)).statusCode).toBe(403);
  }
  expect((await call('GET', own, reader)).json().revisions).toHaveLength(1);
});

it('records who asked', async () => {
  const answer = await call('POST', '/v2/models/delay/infer', reader, { inputs: [MATRIX] });
  await eventually(() => {
    const found = world.payloads.find(({ requestId }) => requestId === answer.headers['x-request-id']);
    expect(found).toMatchObject({ tenant: 'default', actor: `user:${reader.userId}` });
  });
});
