import { startApi, type TestApi } from './mlflow-api';

let api: TestApi;
let experimentId: string;
/** Ids by name; the runs differ in everything that a filter can ask for. */
const ids = new Map<string, string>();

interface Fields {
  readonly startTime: number;
  readonly metrics?: Record<string, number | string>;
  readonly params?: Record<string, string>;
  readonly tags?: Record<string, string>;
  readonly dataset?: { name: string; digest: string; context: string };
  readonly status?: string;
}

const RUNS: Record<string, Fields> = {
  alpha: {
    startTime: 1000,
    metrics: { auc: 0.9, 'val loss': 1 },
    params: { model: 'GBM', lr: '0.1' },
    tags: { team: 'ops' },
    dataset: { name: 'flights', digest: 'd1', context: 'training' },
    status: 'FINISHED',
  },
  beta: {
    startTime: 2000,
    metrics: { auc: 0.5, 'val loss': 3 },
    params: { model: 'gbm' },
    tags: { team: 'data' },
    status: 'FAILED',
  },
  gamma: {
    startTime: 3000,
    metrics: { auc: 'NaN', 'val loss': 2 },
    params: { model: 'linear%' },
    dataset: { name: 'flights', digest: 'd2', context: 'evaluation' },
  },
  delta: { startTime: 4000, params: { 'odd key': "it's" }, tags: { 'a.b/c': '1' } },
};

beforeAll(async () => {
  api = await startApi();
  experimentId = await api.newExperiment();
  for (const [name, fields] of Object.entries(RUNS)) {
    const list = (record: Record<string, string> = {}) =>
      Object.entries(record).map(([key, value]) => ({ key, value }));
    const run_id = await api.newRun(experimentId, { run_name: name, user_id: 'jo', start_time: fields.startTime });
    ids.set(name, run_id);
    const metrics = Object.entries(fields.metrics ?? {}).map(([key, value]) => ({ key, value, timestamp: 1 }));
    await api.post('runs/log-batch', { run_id, metrics, params: list(fields.params), tags: list(fields.tags) });
    if (fields.status)
      await api.post('runs/update', { run_id, status: fields.status, end_time: fields.startTime + 10 });
    if (fields.dataset) {
      const { context, ...dataset } = fields.dataset;
      const tags = [{ key: 'mlflow.data.context', value: context }];
      const datasets = [{ dataset: { ...dataset, source_type: 's3', source: '{}' }, tags }];
      await api.post('runs/log-inputs', { run_id, datasets });
    }
  }
});
afterAll(() => api.stop());

const names = async (search: object): Promise<string[]> => {
  const answer = await api.post('runs/search', { experiment_ids: [experimentId], ...search });
  expect(answer.status).toBe(200);
  return answer.body.runs.map((run: { info: { run_name: string } }) => run.info.run_name);
};

describe('a search of runs', () => {
  it.each([
    ['', ['delta', 'gamma', 'beta', 'alpha']],
    ['metrics.auc > 0.5', ['alpha']],
    ['metrics.auc >= 0.5', ['beta', 'alpha']],
    ['metrics.auc != 0.9', ['gamma', 'beta']],
    ['metrics.auc = 0', []],
    ['metrics.auc < 1e9', ['beta', 'alpha']],
    ['metrics.`val loss` <= 2 AND metrics.auc > 0', ['alpha']],
    ["params.model = 'GBM'", ['alpha']],
    ["params.model != 'GBM'", ['gamma', 'beta']],
    ["params.model ILIKE 'gb_'", ['beta', 'alpha']],
    ["params.model LIKE 'g%'", ['beta']],
    ["params.model LIKE '%\\'", []],
    ['params.model IS NULL', ['delta']],
    ['params.model IS NOT NULL AND tags.team IS NULL', ['gamma']],
    ["params.`odd key` = 'it''s'", ['delta']],
    ['params."odd key" = "it\'s"', ['delta']],
    ["tags.`a.b/c` = '1'", ['delta']],
    ["tags.a.b/c = '1'", ['delta']],
    ["tags.team IN ('x')", 400],
    ["attributes.status = 'FAILED'", ['beta']],
    ["status != 'RUNNING'", ['beta', 'alpha']],
    ["run_name = 'beta'", ['beta']],
    ["attributes.`run name` LIKE '%ta'", ['delta', 'beta']],
    ["user_id = 'jo' AND start_time > 1500 AND start_time <= 3000", ['gamma', 'beta']],
    ['end_time < 2000', ['alpha']],
    ["datasets.name = 'flights'", ['gamma', 'alpha']],
    ["dataset.digest = 'd2'", ['gamma']],
    ["dataset.context IN ('training', 'other')", ['alpha']],
    ["dataset.context = 'training' AND dataset.digest = 'd2'", []],
    ['metrics.a > 1 OR metrics.b > 1', 400],
    ["params.a = 'b'; drop table runs", 400],
    [`params.a = '${'x'.repeat(1_000_000)}'`, 400],
    [`params.a LIKE '${'%a'.repeat(500)}b'`, []],
  ])('case %#: %.60s', async (filter, expected) => {
    const answer = await api.post('runs/search', { experiment_ids: [experimentId], filter });
    if (typeof expected === 'number') {
      return expect(answer).toMatchObject({ status: expected, body: { error_code: 'INVALID_PARAMETER_VALUE' } });
    }
    expect(answer.status).toBe(200);
    return expect(answer.body.runs.map((run: { info: { run_name: string } }) => run.info.run_name)).toEqual(expected);
  });

  it('finds runs by a list of ids', async () => {
    const list = [ids.get('alpha'), ids.get('delta'), 'nobody'].map((id) => `'${id}'`).join(', ');
    expect(await names({ filter: `run_id IN (${list})` })).toEqual(['delta', 'alpha']);
    expect(await names({ filter: `run_id NOT IN (${list})` })).toEqual(['gamma', 'beta']);
  });

  it.each([
    [['metrics.auc DESC'], ['alpha', 'beta', 'gamma', 'delta']],
    [['metrics.auc ASC'], ['beta', 'alpha', 'gamma', 'delta']],
    [['metrics.`val loss`'], ['alpha', 'gamma', 'beta', 'delta']],
    [['params.model ASC'], ['alpha', 'beta', 'gamma', 'delta']],
    [['params.model DESC'], ['gamma', 'beta', 'alpha', 'delta']],
    [['attributes.start_time ASC'], ['alpha', 'beta', 'gamma', 'delta']],
    [['end_time DESC'], ['beta', 'alpha', 'delta', 'gamma']],
    [
      ['tags.team', 'start_time ASC'],
      ['beta', 'alpha', 'gamma', 'delta'],
    ],
    [
      ['status', 'run_name DESC'],
      ['beta', 'alpha', 'gamma', 'delta'],
    ],
  ])('orders by %j', async (order_by, expected) => {
    expect(await names({ order_by })).toEqual(expected);
  });

  it.each([[['metrics.auc', 'metrics.auc DESC']], [['nope']], [['metrics.auc SIDEWAYS']], [['']]])(
    'refuses to order by %j',
    async (order_by) => {
      expect(await api.post('runs/search', { experiment_ids: [experimentId], order_by })).toMatchObject({
        status: 400,
      });
    },
  );

  it('goes page by page, whatever the order', async () => {
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const search = { experiment_ids: [experimentId], max_results: 3, order_by: ['metrics.auc'], page_token: token };
      const { body } = await api.post('runs/search', search);
      seen.push(...body.runs.map((run: { info: { run_name: string } }) => run.info.run_name));
      token = body.next_page_token;
    } while (token);
    expect(seen).toEqual(['beta', 'alpha', 'gamma', 'delta']);
  });

  it('shows each run as get does, with its metrics, inputs and NaN', async () => {
    const { body } = await api.post('runs/search', { experiment_ids: [experimentId], filter: "run_name = 'gamma'" });
    const { run } = (await api.get('runs/get', { run_id: ids.get('gamma') ?? '' })).body;
    expect(body.runs).toEqual([run]);
    expect(run.data.metrics).toContainEqual({ key: 'auc', value: 'NaN', timestamp: 1, step: 0 });
  });

  it('spans experiments, and shows the deleted when asked', async () => {
    const other = await api.newExperiment();
    const run_id = await api.newRun(other, { run_name: 'elsewhere', start_time: 9000 });
    expect(await names({ experiment_ids: [experimentId, other], max_results: 1 })).toEqual(['elsewhere']);
    await api.post('runs/delete', { run_id });
    expect(await names({ experiment_ids: [other] })).toEqual([]);
    expect(await names({ experiment_ids: [other], run_view_type: 'DELETED_ONLY' })).toEqual(['elsewhere']);
    expect(await names({ experiment_ids: [other, experimentId], run_view_type: 'ALL' })).toHaveLength(5);
    expect(await names({ experiment_ids: [] })).toEqual([]);
  });

  it.each([
    [{ max_results: 50_001 }],
    [{ max_results: 0 }],
    [{ page_token: 'x' }],
    [{ run_view_type: 'SOME' }],
    [{ filter: 7 }],
  ])('refuses %j', async (search) => {
    expect(await api.post('runs/search', { experiment_ids: [experimentId], ...search })).toMatchObject({ status: 400 });
  });
});
