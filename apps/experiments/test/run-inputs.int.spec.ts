import { startApi, type TestApi } from './mlflow-api';

let api: TestApi;
let experimentId: string;
beforeAll(async () => {
  api = await startApi();
  experimentId = await api.newExperiment();
});
afterAll(() => api.stop());

const getRun = async (runId: string) => (await api.get('runs/get', { run_id: runId })).body.run;
const pairs = (list: { key: string; value: string }[]) =>
  Object.fromEntries(list.map(({ key, value }) => [key, value]));

describe('inputs', () => {
  it('keep where the data came from, word for word', async () => {
    const runId = await api.newRun(experimentId);
    const source = '{"uri": "s3://flights/c4d1a7e0b2/months/01.parquet"}';
    const dataset = { name: 'flights', digest: 'd1', source_type: 's3', source, schema: '{}', profile: '{"rows": 1}' };
    const tags = [{ key: 'mlflow.data.context', value: 'training' }];
    const inputs = { run_id: runId, datasets: [{ dataset, tags }] };
    expect(await api.post('runs/log-inputs', inputs)).toEqual({ status: 200, body: {} });
    expect(await api.post('runs/log-inputs', inputs)).toEqual({ status: 200, body: {} });
    expect((await getRun(runId)).inputs.dataset_inputs).toEqual([{ tags, dataset }]);
    const events = await api.service.log.store.readStream(`default/run:${runId}`);
    expect(events.filter(({ type }) => type === 'InputsLogged')).toMatchObject([{ data: { datasets: [{ source }] } }]);
    const summaries = await api.post('experiments/search-datasets', { experiment_ids: [experimentId] });
    expect(summaries.body.dataset_summaries).toContainEqual({
      experiment_id: experimentId,
      name: 'flights',
      digest: 'd1',
      context: 'training',
    });
  });

  it.each([
    [{ datasets: [{ dataset: { name: 'x'.repeat(501), digest: 'd', source_type: 's', source: '' } }] }],
    [{ datasets: [{ dataset: { name: 'x', digest: 'd'.repeat(37), source_type: 's', source: '' } }] }],
    [{ datasets: [{ tags: [] }] }],
    [{ models: [{}] }],
  ])('refuse %j', async (inputs) => {
    const runId = await api.newRun(experimentId);
    expect(await api.post('runs/log-inputs', { run_id: runId, ...inputs })).toMatchObject({ status: 400 });
    expect(await api.service.log.store.readStream(`default/run:${runId}`)).toHaveLength(1);
  });

  it('and outputs name models that are there', async () => {
    const runId = await api.newRun(experimentId);
    const models = [{ model_id: `m-${'0'.repeat(32)}`, step: 1 }];
    expect((await api.post('runs/log-inputs', { run_id: runId, models })).status).toBe(404);
    expect((await api.post('runs/outputs', { run_id: runId, models })).status).toBe(404);
    const created = await api.post('logged-models', { experiment_id: experimentId, source_run_id: runId });
    const { model_id } = created.body.model.info;
    expect((await api.post('runs/outputs', { run_id: runId, models: [{ model_id, step: 3 }] })).status).toBe(200);
    expect((await api.post('runs/log-inputs', { run_id: runId, models: [{ model_id }] })).status).toBe(200);
    expect(await getRun(runId)).toMatchObject({
      inputs: { model_inputs: [{ model_id }] },
      outputs: { model_outputs: [{ model_id, step: 3 }] },
    });
  });
});

describe('the history of models that clients before 3.0 keep in a tag', () => {
  it('grows by one entry a call', async () => {
    const runId = await api.newRun(experimentId);
    const model = {
      artifact_path: 'a',
      flavors: { sklearn: { config: 'large', code: null } },
      utc_time_created: 'now',
      run_id: runId,
    };
    const log = (json: string) => api.post('runs/log-model', { run_id: runId, model_json: json });
    expect((await log(JSON.stringify(model))).status).toBe(200);
    expect((await log(JSON.stringify({ ...model, artifact_path: 'b' }))).status).toBe(200);
    const history = JSON.parse(pairs((await getRun(runId)).data.tags)['mlflow.log-model.history'] ?? '');
    expect(history).toMatchObject([
      { artifact_path: 'a', flavors: { sklearn: { code: null } } },
      { artifact_path: 'b' },
    ]);
    expect(history[0].flavors.sklearn).not.toHaveProperty('config');
    expect((await log('{')).status).toBe(400);
    expect((await log('{"artifact_path": "a"}')).status).toBe(400);
  });
});
