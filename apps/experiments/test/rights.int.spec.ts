import { eventually } from '@mledger/service-kit/testing';
import type { Role } from '@mledger/contracts';
import { startApi, type TestApi } from './mlflow-api';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ env: { MLEDGER_AUTH: 'keys' } });
});
afterAll(() => api.stop());

const access = () => {
  if (!api.access) throw new Error('the test has no access log');
  return api.access;
};

/** A caller of a tenant, once the service knows of the key. */
async function caller(tenant: string, ...roles: Role[]) {
  const { authorization } = await access().issueKey({ tenant, roles });
  const call = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, payload?: object | string) => {
    const url = path.startsWith('/') ? path : `/api/2.0/mlflow/${path}`;
    const answer = await api.inject({ method, url, payload, headers: { authorization } });
    return { status: answer.statusCode, body: answer.json() };
  };
  await eventually(async () => {
    expect((await call('GET', 'experiments/get?experiment_id=0')).status).toBe(200);
  });
  return call;
}

describe('a tenant', () => {
  it('has a default experiment of its own, and sees nothing of another', async () => {
    await access().createTenant('acme');
    await access().createTenant('globex');
    const acme = await caller('acme', 'contributor');
    const globex = await caller('globex', 'admin');
    const experimentId = (await acme('POST', 'experiments/create', { name: 'shared name' })).body.experiment_id;
    const runId = (await acme('POST', 'runs/create', { experiment_id: experimentId })).body.run.info.run_id;
    const path = `/api/2.0/mlflow-artifacts/artifacts/${experimentId}/${runId}/artifacts/a.txt`;
    expect((await acme('PUT', path, 'theirs')).status).toBe(200);
    const model = (await acme('POST', 'logged-models', { experiment_id: experimentId })).body.model.info.model_id;

    expect((await globex('POST', 'experiments/create', { name: 'shared name' })).status).toBe(200);
    for (const [method, target, body] of [
      ['GET', `experiments/get?experiment_id=${experimentId}`],
      ['GET', `runs/get?run_id=${runId}`],
      ['POST', 'runs/log-metric', { run_id: runId, key: 'a', value: 1, timestamp: 1 }],
      ['POST', 'runs/log-parameter', { run_id: runId, key: 'a', value: '1' }],
      ['POST', 'runs/delete', { run_id: runId }],
      ['POST', 'runs/create', { experiment_id: experimentId }],
      ['GET', `logged-models/${model}`],
      ['GET', path],
      ['PUT', path, 'ours'],
      ['DELETE', path, {}],
      ['GET', `artifacts/list?run_id=${runId}`],
    ] as const) {
      expect(await globex(method, target, body)).toMatchObject({ status: 404 });
    }
    const own = (await globex('POST', 'runs/create', {})).body.run.info.run_id;
    expect(await globex('POST', 'runs/log-inputs', { run_id: own, models: [{ model_id: model }] })).toMatchObject({
      status: 404,
    });
    expect((await globex('POST', 'runs/search', { experiment_ids: [experimentId] })).body.runs).toEqual([]);
    expect((await acme('GET', `runs/get?run_id=${runId}`)).body.run.data.metrics).toEqual([]);
  });
});

describe('a role', () => {
  it('bounds what a caller may do: reading is not writing, and writing is not deleting bytes', async () => {
    await access().createTenant('initech');
    const [reader, contributor, admin] = [
      await caller('initech', 'reader'),
      await caller('initech', 'contributor'),
      await caller('initech', 'admin'),
    ];
    expect(await reader('POST', 'runs/create', {})).toMatchObject({
      status: 403,
      body: { error_code: 'PERMISSION_DENIED' },
    });
    const runId = (await contributor('POST', 'runs/create', {})).body.run.info.run_id;
    const path = `/api/2.0/mlflow-artifacts/artifacts/0/${runId}/artifacts/a.txt`;
    expect((await reader('PUT', path, 'x')).status).toBe(403);
    expect((await contributor('PUT', path, 'x')).status).toBe(200);
    expect((await contributor('DELETE', path, {})).status).toBe(403);
    expect((await reader('POST', 'runs/search', { experiment_ids: ['0'] })).body.runs).toHaveLength(1);
    expect((await admin('DELETE', path, {})).status).toBe(200);
  });

  it('is needed: without credentials only the root answers', async () => {
    for (const path of ['experiments/get?experiment_id=0', 'runs/get?run_id=a']) {
      expect((await api.inject({ method: 'GET', url: `/api/2.0/mlflow/${path}` })).statusCode).toBe(401);
    }
    expect((await api.inject({ method: 'GET', url: '/version' })).statusCode).toBe(200);
  });

  it('and who used it, stand in each event', async () => {
    await access().createTenant('hooli');
    const key = await access().issueKey({ tenant: 'hooli', roles: ['contributor'] });
    const authorization = key.authorization;
    const created = await eventually(async () => {
      const answer = await api.inject({
        method: 'POST',
        url: '/api/2.0/mlflow/runs/create',
        payload: {},
        headers: { authorization },
      });
      expect(answer.statusCode).toBe(200);
      return answer;
    });
    const runId = created.json().run.info.run_id as string;
    const [event] = await api.service.log.store.readStream(`hooli/run:${runId}`);
    expect(event).toMatchObject({
      tenant: 'hooli',
      actor: `user:${key.userId}`,
      correlation: created.headers['x-request-id'],
    });
  });
});
