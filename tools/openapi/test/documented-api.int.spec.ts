import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accessService } from '@mledger/access';
import { experimentsService } from '@mledger/experiments';
import { ledgerService } from '@mledger/ledger';
import { monitoringService } from '@mledger/monitoring';
import { pipelinesService } from '@mledger/pipelines';
import { registryService } from '@mledger/registry';
import { eventually, startTestServices, type AnyJson } from '@mledger/service-kit/testing';
import { servingService } from '@mledger/serving';
import { versioningService } from '@mledger/versioning';
import { WORDS } from '../src/documented-routes';
import { DocumentedApi, methodOf, type Key } from './documented-api';

const SERVICES = [
  accessService,
  versioningService,
  experimentsService,
  registryService,
  servingService,
  monitoringService,
  pipelinesService,
  ledgerService,
];
const SYSTEM = {
  MLEDGER_SYSTEM_ACCESS_KEY_ID: 'AKIAJSYSTEMKEY000000Q',
  MLEDGER_SYSTEM_SECRET_ACCESS_KEY: 's'.repeat(40),
};
const ONNX = join(__dirname, '../../../apps/serving/test/fixtures/double.onnx');

/** They need more than a request: a URL that somebody signed, an event that failed, a connection that stays. */
const NOT_ASKED: readonly Key[] = [
  'GET /presigned/{key}',
  'PUT /presigned/{key}',
  'POST /services/{service}/parked/{id}/replay',
  'POST /services/{service}/parked/{id}/discard',
  'GET /events/live',
];

const basic = (keyId: string, secret: string) => `Basic ${Buffer.from(`${keyId}:${secret}`).toString('base64')}`;
const system = basic(SYSTEM.MLEDGER_SYSTEM_ACCESS_KEY_ID, SYSTEM.MLEDGER_SYSTEM_SECRET_ACCESS_KEY);

describe('our own API is as its document says', () => {
  let stop: (() => Promise<void>) | undefined;
  let api: DocumentedApi;
  let ada: { as: string; userId: string; keyId: string };
  let requestId: string;

  beforeAll(async () => {
    const together = await startTestServices(SERVICES, { env: SYSTEM });
    stop = together.stop;
    api = new DocumentedApi(together.services);
  }, 120_000);
  afterAll(() => stop?.(), 60_000);

  const mlflow = async (method: string, path: string, json: object): Promise<AnyJson> => {
    const { status, body } = await api.send(`/api/2.0/mlflow/${path}`, { method, json });
    if (status !== 200) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
    return body;
  };

  /** A run with a metric and a model, as MLflow's client logs it, registered as the next version. */
  const newVersion = async (experimentId: string, auc: number) => {
    const { run } = await mlflow('POST', 'runs/create', { experiment_id: experimentId, start_time: 1 });
    const runId: string = run.info.run_id;
    const metrics = [{ key: 'holdout_auc', value: auc, timestamp: 1, step: 0 }];
    await mlflow('POST', 'runs/log-batch', { run_id: runId, metrics });
    const logged = { experiment_id: experimentId, name: 'model', source_run_id: runId };
    const { model } = await mlflow('POST', 'logged-models', logged);
    const modelId: string = model.info.model_id;
    const file = `/api/2.0/mlflow-artifacts/artifacts/${experimentId}/models/${modelId}/artifacts/model.onnx`;
    await api.send(file, { method: 'PUT', bytes: readFileSync(ONNX) });
    await mlflow('PATCH', `logged-models/${modelId}`, { model_id: modelId, status: 'LOGGED_MODEL_READY' });
    const source = `models:/${modelId}`;
    await mlflow('POST', 'model-versions/create', { name: 'delay', source, run_id: runId });
  };

  const promotion = async (version: number) =>
    api.ask('POST /models/{name}/promotions', { at: ['delay'], body: { version, reason: 'better on May' } });

  const promote = async (version: number) => {
    const { promotionId } = await promotion(version);
    await api.ask('POST /promotions/{id}/approve', { at: [promotionId], as: ada.as });
    return promotionId as string;
  };

  const isReady = (revisions: number) =>
    eventually(async () => {
      const endpoint = await api.ask('GET /endpoints/{name}', { at: ['delay'] });
      if (!endpoint.ready || endpoint.revisions.length < revisions) throw new Error('it is not ready');
    });

  it('of who may do what', async () => {
    await api.ask('GET /openapi.json');
    await api.ask('GET /roles');
    await api.ask('GET /caller', { as: system });
    await api.ask('POST /tenants', { as: system });
    await api.ask('GET /tenants', { as: system });
    await api.ask('GET /tenants/{id}', { at: ['acme'], as: system });
    await api.ask('DELETE /tenants/{id}', { at: ['acme'], query: { reason: 'the trial ended' }, as: system });
    const { userId } = await api.ask('POST /users');
    const { keyId, secret } = await api.ask('POST /keys', { body: { userId } });
    ada = { as: basic(keyId, secret), userId, keyId };
    await api.ask('GET /users');
    await api.ask('GET /users/{id}', { at: [userId] });
    await api.ask('PUT /users/{id}/roles', { at: [userId] });
    await api.ask('GET /keys', { query: { userId } });
  });

  it('of promotions', async () => {
    const { experiment_id: experimentId } = await mlflow('POST', 'experiments/create', { name: 'delay' });
    await mlflow('POST', 'registered-models/create', { name: 'delay' });
    await newVersion(experimentId, 0.71);
    await newVersion(experimentId, 0.78);
    await api.ask('PUT /models/{name}/policy', { at: ['delay'] });
    // The registry hears of her key a moment after it was issued.
    await eventually(() => api.ask('GET /models/{name}/policy', { at: ['delay'], as: ada.as }));
    const promotionId = await promote(1);
    await api.ask('GET /promotions/{id}', { at: [promotionId] });
    await promote(2);
    await api.ask('GET /models/{name}/promotions', { at: ['delay'], query: { limit: '1', status: 'promoted' } });
    await api.ask('GET /models/{name}/aliases/{alias}', { at: ['delay', 'champion'] });
    await api.ask('GET /models/{name}/aliases/{alias}/history', { at: ['delay', 'champion'], query: { limit: '1' } });
    await api.ask('POST /models/{name}/rollback', { at: ['delay'], as: ada.as });
    await api.ask('POST /promotions/{id}/reject', { at: [(await promotion(2)).promotionId], as: ada.as });
    await api.ask('POST /promotions/{id}/withdraw', { at: [(await promotion(2)).promotionId] });
  });

  it('of endpoints', async () => {
    await eventually(() => api.ask('PUT /endpoints/{name}', { at: ['delay'] }));
    await isReady(1);
    await promote(2);
    await isReady(2);
    await api.ask('GET /endpoints');
    await api.ask('POST /endpoints/{name}/traffic', { at: ['delay'] });
    await api.ask('POST /endpoints/{name}/shadows', { at: ['delay'] });
    await api.ask('POST /endpoints/{name}/rollback', { at: ['delay'] });
  });

  it('of pipelines', async () => {
    await api.ask('PUT /pipelines/{name}', { at: ['retrain'] });
    await api.ask('GET /pipelines');
    await api.ask('GET /pipelines/{name}', { at: ['retrain'] });
    const { pipelineRunId } = await api.ask('POST /pipelines/{name}/runs', { at: ['retrain'] });
    await eventually(async () => {
      const { status } = await api.ask('GET /pipeline-runs/{id}', { at: [pipelineRunId] });
      if (status === 'running') throw new Error('it runs');
    });
    await api.ask('GET /pipelines/{name}/runs', { at: ['retrain'] });
    await api.ask('GET /pipeline-runs/{id}/logs', { at: [pipelineRunId], query: { step: 'train' } });
    const endless = { steps: [{ name: 'train', command: ['node', '-e', 'setInterval(() => {}, 1000)'] }] };
    await api.ask('PUT /pipelines/{name}', { at: ['retrain'], body: endless });
    const { pipelineRunId: running } = await api.ask('POST /pipelines/{name}/runs', { at: ['retrain'] });
    await api.ask('POST /pipeline-runs/{id}/cancel', { at: [running] });
  });

  it('of monitors', async () => {
    await eventually(() => api.ask('PUT /monitors/{name}', { at: ['delay'] }));
    await api.ask('GET /monitors');
    await api.ask('GET /monitors/{name}', { at: ['delay'] });
    const inputs = [{ name: 'input', shape: [10, 2], datatype: 'FP32', data: Array<number>(20).fill(5_000) }];
    await eventually(async () => {
      const answer = await api.send('/v2/models/delay/infer', { method: 'POST', json: { inputs } });
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
      requestId = answer.requestId;
      const { windows } = await api.ask('GET /monitors/{name}/windows', { at: ['delay'] });
      const { alerts } = await api.ask('GET /monitors/{name}/alerts', { at: ['delay'] });
      if (windows.length === 0 || alerts.length === 0) throw new Error('no window is judged yet');
    });
    await api.ask('POST /endpoints/{name}/labels', { at: ['delay'] });
  });

  it('of the ledger and of what each service answers for its operators', async () => {
    await api.ask('GET /events', { query: { type: 'AliasMoved', limit: '1' } });
    await eventually(() => api.ask('GET /explain', { query: { request: requestId } }));
    await api.ask('GET /lineage/{node}', { at: ['model:delay/1'], query: { depth: '1' } });
    await api.ask('GET /verify');
    for (const { name } of SERVICES) {
      await api.ask('GET /services/{service}/verify', { at: [name] });
      await api.ask('GET /services/{service}/parked', { at: [name] });
    }
    const promotions = ['registry', 'promotions'];
    await api.ask('POST /services/{service}/projections/{name}/rebuild', { at: promotions, as: system });
  });

  it.each((Object.keys(WORDS) as Key[]).filter((key) => WORDS[key]!.body))(
    'refuses a body that %s does not take, as a problem',
    async (key) => {
      const answer = await api.send(api.target(key), { method: methodOf(key), as: system, json: 'no object' });
      expect(answer).toMatchObject({ status: 400, type: expect.stringContaining('application/problem+json') });
      expect(answer.body).toMatchObject({ status: 400, code: 'INVALID', requestId: answer.requestId });
    },
  );

  it('of what ends: and with that every route was asked', async () => {
    await api.ask('DELETE /models/{name}/policy', { at: ['delay'] });
    await api.ask('DELETE /endpoints/{name}', { at: ['delay'] });
    await api.ask('DELETE /monitors/{name}', { at: ['delay'] });
    await api.ask('DELETE /pipelines/{name}', { at: ['retrain'] });
    await api.ask('DELETE /keys/{id}', { at: [ada.keyId] });
    await api.ask('DELETE /users/{id}', { at: [ada.userId] });
    expect([...api.asked, ...NOT_ASKED].sort()).toEqual(Object.keys(WORDS).sort());
  });
});
