import { startApi, type TestApi } from './mlflow-api';

let api: TestApi;
let experimentId: string;
beforeAll(async () => {
  api = await startApi();
  experimentId = await api.newExperiment();
});
afterAll(() => api.stop());

const create = async (fields: object = {}) => {
  const answer = await api.post('logged-models', { experiment_id: experimentId, ...fields });
  expect(answer.status).toBe(200);
  return answer.body.model;
};
const put = (path: string, payload = 'bytes') =>
  api.inject({
    method: 'PUT',
    url: `/api/2.0/mlflow-artifacts/artifacts/${path}`,
    payload,
    headers: { 'content-type': 'text/plain' },
  });

describe('a logged model', () => {
  it('is pending until its client says that it is whole, and then has a digest in the log', async () => {
    const runId = await api.newRun(experimentId);
    const params = [{ key: 'depth', value: '6' }];
    const { info, data } = await create({ name: 'late', source_run_id: runId, model_type: 'classifier', params });
    expect(info).toMatchObject({
      model_id: expect.stringMatching(/^m-[0-9a-f]{32}$/),
      name: 'late',
      status: 'LOGGED_MODEL_PENDING',
      model_type: 'classifier',
      source_run_id: runId,
      artifact_uri: `mlflow-artifacts:/${experimentId}/models/${info.model_id}/artifacts`,
    });
    expect(data.params).toEqual(params);
    expect((await put(`${experimentId}/models/${info.model_id}/artifacts/MLmodel`)).statusCode).toBe(200);
    const ready = await api.patch(`logged-models/${info.model_id}`, {
      model_id: info.model_id,
      status: 'LOGGED_MODEL_READY',
    });
    expect(ready.body.model.info.status).toBe('LOGGED_MODEL_READY');
    const events = await api.service.log.store.readStream(`default/logged-model:${info.model_id}`);
    expect(events.map(({ type }) => type)).toEqual(['LoggedModelCreated', 'ArtifactStored', 'LoggedModelReady']);
    expect(events[1]?.data).toMatchObject({
      path: 'MLmodel',
      sizeBytes: 5,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(events[2]?.data).toMatchObject({ manifestSha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect((await api.get(`logged-models/${info.model_id}/artifacts/directories`)).body.files).toEqual([
      { path: 'MLmodel', is_dir: false, file_size: 5 },
    ]);
  });

  it('has the metrics that runs measured of it', async () => {
    const { info } = await create();
    const runId = await api.newRun(experimentId);
    const metric = { key: 'auc', value: 0.7, timestamp: 5, step: 1, model_id: info.model_id };
    const onData = { ...metric, dataset_name: 'flights', dataset_digest: 'd1', value: 0.8 };
    await api.post('runs/log-batch', { run_id: runId, metrics: [metric, onData, metric] });
    const { model } = (await api.get(`logged-models/${info.model_id}`)).body;
    expect(model.data.metrics).toHaveLength(2);
    expect(model.data.metrics).toContainEqual({ ...metric, run_id: runId });
    expect(model.data.metrics).toContainEqual({ ...onData, run_id: runId });
  });

  it('is there when a metric names it, or nothing of the batch is logged', async () => {
    const runId = await api.newRun(experimentId);
    const { info } = await create();
    const none = { key: 'auc', value: 0.7, timestamp: 5, model_id: `m-${'0'.repeat(32)}` };
    const refusal = { status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST' } };
    expect(await api.post('runs/log-metric', { run_id: runId, ...none })).toMatchObject(refusal);
    const metrics = [{ ...none, model_id: info.model_id }, none];
    expect(await api.post('runs/log-batch', { run_id: runId, metrics })).toMatchObject(refusal);
    const params = [{ key: 'a', value: '1' }];
    expect(await api.post('runs/log-batch', { run_id: runId, metrics, params })).toMatchObject(refusal);
    expect(await api.service.log.store.readStream(`default/run:${runId}`)).toHaveLength(1);
    await api.delete(`logged-models/${info.model_id}`);
    expect((await api.post('runs/log-batch', { run_id: runId, metrics: [metrics[0]] })).status).toBe(200);
  });

  it('takes params and tags, and loses tags', async () => {
    const { info } = await create();
    const path = `logged-models/${info.model_id}`;
    expect((await api.post(`${path}/params`, { params: [{ key: 'a', value: '1' }] })).status).toBe(200);
    expect((await api.post(`${path}/params`, { params: [{ key: 'a', value: '2' }] })).status).toBe(400);
    expect(
      (
        await api.patch(`${path}/tags`, {
          tags: [
            { key: 'x/y', value: '1' },
            { key: 'z', value: '2' },
          ],
        })
      ).status,
    ).toBe(200);
    expect((await api.delete(`${path}/tags/x/y`)).status).toBe(200);
    expect((await api.delete(`${path}/tags/x/y`)).status).toBe(404);
    const { model } = (await api.get(path)).body;
    expect(model.info.tags).toEqual([{ key: 'z', value: '2' }]);
    expect(model.data.params).toEqual([{ key: 'a', value: '1' }]);
  });

  it('is not listed after its deletion, but can still be asked for', async () => {
    const { info } = await create({ name: 'gone' });
    expect((await api.delete(`logged-models/${info.model_id}`)).status).toBe(200);
    expect((await api.get(`logged-models/${info.model_id}`)).status).toBe(404);
    expect((await api.get(`logged-models/${info.model_id}`, { allow_deleted: 'true' })).status).toBe(200);
    const search = await api.post('logged-models/search', { experiment_ids: [experimentId], filter: "name = 'gone'" });
    expect(search.body.models).toEqual([]);
  });

  it.each([
    [{ name: 'a/b' }, 400],
    [{ name: 'a:b' }, 400],
    [{ name: "a'b" }, 400],
    [{ source_run_id: '0'.repeat(32) }, 404],
    [{ experiment_id: '404' }, 404],
    [{ params: [{ value: '1' }] }, 400],
  ])('is refused with %j', async (fields, status) => {
    expect((await api.post('logged-models', { experiment_id: experimentId, ...fields })).status).toBe(status);
  });
});

describe('a search of logged models', () => {
  let searched: string;
  beforeAll(async () => {
    searched = await api.newExperiment();
    const runId = await api.newRun(searched);
    const models = [
      { name: 'one', auc: 0.9, dataset: 'train', tag: 'x' },
      { name: 'two', auc: 0.5, dataset: 'test', tag: 'y' },
      { name: 'three', auc: undefined, dataset: undefined, tag: 'x' },
    ];
    for (const { name, auc, dataset, tag } of models) {
      const { info } = await create({ experiment_id: searched, name, tags: [{ key: 'team', value: tag }] });
      if (auc === undefined) continue;
      const metric = { key: 'auc', value: auc, timestamp: 1, model_id: info.model_id, dataset_name: dataset };
      await api.post('runs/log-batch', { run_id: runId, metrics: [metric] });
      await api.patch(`logged-models/${info.model_id}`, { status: 2 });
    }
  });

  it.each([
    [{}, ['three', 'two', 'one']],
    [{ filter: 'metrics.auc > 0.6' }, ['one']],
    [{ filter: "status = 'READY'" }, ['two', 'one']],
    [{ filter: "tags.team = 'x' AND name LIKE 't%'" }, ['three']],
    [{ filter: "name IN ('one', 'three')" }, ['three', 'one']],
    [{ filter: "tags.team IN ('x', 'z')" }, ['three', 'one']],
    [{ filter: "tags.team NOT IN ('x')" }, ['two']],
    [{ datasets: [{ dataset_name: 'test' }] }, ['two']],
    [{ datasets: [{ dataset_name: 'test' }], filter: 'metrics.auc > 0.6' }, []],
    [{ order_by: [{ field_name: 'metrics.auc' }] }, ['two', 'one', 'three']],
    [{ order_by: [{ field_name: 'metrics.auc', ascending: false }] }, ['one', 'two', 'three']],
    [{ order_by: [{ field_name: 'metrics.auc', dataset_name: 'test' }] }, ['two', 'three', 'one']],
    [{ order_by: [{ field_name: 'creation_timestamp', ascending: true }] }, ['one', 'two', 'three']],
    [{ order_by: [{ field_name: 'name', ascending: true }], max_results: 2 }, ['one', 'three']],
  ])('%j', async (search, expected) => {
    const { body } = await api.post('logged-models/search', { experiment_ids: [searched], ...search });
    expect(body.models.map(({ info }: { info: { name: string } }) => info.name)).toEqual(expected);
  });

  it('goes page by page', async () => {
    const first = await api.post('logged-models/search', { experiment_ids: [searched], max_results: 2 });
    const page_token = first.body.next_page_token;
    const second = await api.post('logged-models/search', { experiment_ids: [searched], max_results: 2, page_token });
    expect(second.body.models.map(({ info }: { info: { name: string } }) => info.name)).toEqual(['one']);
    expect(second.body).not.toHaveProperty('next_page_token');
  });

  it.each([
    [{ experiment_ids: [] }],
    [{ filter: 'params.a IS' }],
    [{ order_by: [{ field_name: 'params.a' }] }],
    [{ order_by: [{ field_name: 'name', dataset_digest: 'd' }] }],
    [{ datasets: [{}] }],
  ])('refuses %j', async (search) => {
    expect((await api.post('logged-models/search', { experiment_ids: [searched], ...search })).status).toBe(400);
  });
});
