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
const history = async (runId: string, key: string) =>
  (await api.get('metrics/get-history', { run_id: runId, metric_key: key })).body.metrics;

describe('a run', () => {
  it('begins with what its client says of it', async () => {
    const tags = [{ key: 'mlflow.source.name', value: 'train.py' }];
    const created = await api.post('runs/create', {
      experiment_id: experimentId,
      user_id: 'jo',
      run_name: 'first',
      start_time: 1000,
      tags,
    });
    const { run } = created.body;
    expect(run.info).toMatchObject({
      run_uuid: run.info.run_id,
      run_name: 'first',
      experiment_id: experimentId,
      user_id: 'jo',
      status: 'RUNNING',
      start_time: 1000,
      artifact_uri: `mlflow-artifacts:/${experimentId}/${run.info.run_id}/artifacts`,
      lifecycle_stage: 'active',
    });
    expect(run.info).not.toHaveProperty('end_time');
    expect(pairs(run.data.tags)).toEqual({ 'mlflow.source.name': 'train.py', 'mlflow.runName': 'first' });
    expect(await getRun(run.info.run_id)).toEqual(run);
    expect((await api.get('runs/get', { run_uuid: run.info.run_id })).body.run).toEqual(run);
  });

  it('gets a name when it has none, and the default experiment', async () => {
    const { run } = (await api.post('runs/create', {})).body;
    expect(run.info).toMatchObject({ experiment_id: '0', run_name: expect.stringMatching(/^[a-z]+-[a-z]+-\d+$/) });
    const twice = { run_name: 'a', tags: [{ key: 'mlflow.runName', value: 'b' }] };
    expect(await api.post('runs/create', twice)).toMatchObject({ status: 400 });
  });

  it('begins with tags of any key, which later ones may not have', async () => {
    const tag = { key: 'cost (€) | team=a', value: '1' };
    const runId = await api.newRun(experimentId, { tags: [tag] });
    expect(pairs((await getRun(runId)).data.tags)).toMatchObject({ [tag.key]: '1' });
    const filter = `tags.\`${tag.key}\` = '1'`;
    expect((await api.post('runs/search', { experiment_ids: [experimentId], filter })).body.runs).toHaveLength(1);
    expect(await api.post('runs/set-tag', { run_id: runId, ...tag })).toMatchObject({ status: 400 });
    expect((await api.post('runs/delete-tag', { run_id: runId, key: tag.key })).status).toBe(200);
    for (const key of ['', 'k'.repeat(251)])
      expect(await api.post('runs/create', { tags: [{ key, value: '1' }] })).toMatchObject({ status: 400 });
  });

  it('ends, goes on and is renamed', async () => {
    const runId = await api.newRun(experimentId);
    const update = async (fields: object) =>
      (await api.post('runs/update', { run_id: runId, ...fields })).body.run_info;
    expect(await update({ status: 'FINISHED', end_time: 5000 })).toMatchObject({ status: 'FINISHED', end_time: 5000 });
    expect(await update({ status: 'RUNNING' })).not.toHaveProperty('end_time');
    expect(await update({ status: 4 })).toMatchObject({ status: 'FAILED', end_time: expect.any(Number) });
    expect(await update({ run_name: 'second' })).toMatchObject({ run_name: 'second', status: 'FAILED' });
    expect(pairs((await getRun(runId)).data.tags)).toMatchObject({ 'mlflow.runName': 'second' });
    await api.post('runs/set-tag', { run_id: runId, key: 'mlflow.runName', value: 'third' });
    expect((await getRun(runId)).info.run_name).toBe('third');
    expect(await api.post('runs/update', { run_id: runId, status: 'DONE' })).toMatchObject({ status: 400 });
  });

  it('takes nothing while it is deleted', async () => {
    const runId = await api.newRun(experimentId);
    await api.post('runs/delete', { run_id: runId });
    expect(await api.post('runs/log-parameter', { run_id: runId, key: 'a', value: '1' })).toMatchObject({
      status: 400,
      body: {
        error_code: 'INVALID_PARAMETER_VALUE',
        message: expect.stringContaining("must be in the 'active' state"),
      },
    });
    expect(await api.post('runs/log-metric', { run_id: runId, key: 'a', value: 1, timestamp: 1 })).toMatchObject({
      status: 400,
    });
    await api.post('runs/restore', { run_id: runId });
    expect((await api.post('runs/log-metric', { run_id: runId, key: 'a', value: 1, timestamp: 1 })).status).toBe(200);
  });

  it('that is not there is told so', async () => {
    const run_id = '0'.repeat(32);
    for (const answer of [
      await api.get('runs/get', { run_id }),
      await api.post('runs/update', { run_id, status: 'FINISHED' }),
      await api.post('runs/delete', { run_id }),
      await api.post('runs/log-batch', { run_id }),
      await api.post('runs/log-metric', { run_id, key: 'a', value: 1, timestamp: 1 }),
      await api.post('runs/set-tag', { run_id, key: 'a', value: 'b' }),
      await api.get('metrics/get-history', { run_id, metric_key: 'a' }),
      await api.get('artifacts/list', { run_id }),
    ]) {
      expect(answer).toMatchObject({ status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST' } });
    }
    expect(await api.get('runs/get')).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } });
  });
});

describe('a batch', () => {
  it('is logged whole', async () => {
    const runId = await api.newRun(experimentId);
    const answer = await api.post('runs/log-batch', {
      run_id: runId,
      metrics: [
        { key: 'auc', value: 0.5, timestamp: 1, step: 0 },
        { key: 'auc', value: 0.7, timestamp: 2, step: 1 },
      ],
      params: [{ key: 'depth', value: '6' }],
      tags: [{ key: 'stage', value: 'candidate' }],
    });
    expect(answer).toEqual({ status: 200, body: {} });
    const { data } = await getRun(runId);
    expect(data.metrics).toEqual([{ key: 'auc', value: 0.7, timestamp: 2, step: 1 }]);
    expect(data.params).toEqual([{ key: 'depth', value: '6' }]);
    expect(pairs(data.tags)).toMatchObject({ stage: 'candidate' });
    const events = await api.service.log.store.readStream(`default/run:${runId}`);
    expect(events.map(({ type }) => type)).toEqual(['RunStarted', 'ParamsLogged', 'MetricsLogged', 'RunTagged']);
    expect(new Set(events.slice(1).map(({ correlation }) => correlation)).size).toBe(1);
  });

  it('with one wrong param leaves nothing behind', async () => {
    const runId = await api.newRun(experimentId);
    await api.post('runs/log-parameter', { run_id: runId, key: 'depth', value: '6' });
    const answer = await api.post('runs/log-batch', {
      run_id: runId,
      metrics: [{ key: 'auc', value: 0.5, timestamp: 1 }],
      params: [
        { key: 'other', value: '1' },
        { key: 'depth', value: '7' },
      ],
      tags: [{ key: 'stage', value: 'x' }],
    });
    expect(answer).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } });
    expect(answer.body.message).toContain("Param with key='depth' was already logged with value='6'");
    const { data } = await getRun(runId);
    expect(data).toMatchObject({ metrics: [], params: [{ key: 'depth', value: '6' }] });
    expect(pairs(data.tags)).not.toHaveProperty('stage');
    expect((await api.post('runs/log-parameter', { run_id: runId, key: 'depth', value: '6' })).status).toBe(200);
  });

  it.each([
    ['a metric without a value', { metrics: [{ key: 'a', timestamp: 1 }] }],
    ['a metric that is text', { metrics: [{ key: 'a', value: 'high', timestamp: 1 }] }],
    ['a negative timestamp', { metrics: [{ key: 'a', value: 1, timestamp: -1 }] }],
    ['a timestamp past 2^53', { metrics: [{ key: 'a', value: 1, timestamp: '9007199254740993' }] }],
    ['a key that is a path upwards', { metrics: [{ key: '../a', value: 1, timestamp: 1 }] }],
    ['a key that is too long', { params: [{ key: 'x'.repeat(251), value: '' }] }],
    ['too many params', { params: Array.from({ length: 101 }, (_, i) => ({ key: `p${i}`, value: '' })) }],
    [
      'a param twice',
      {
        params: [
          { key: 'a', value: '1' },
          { key: 'a', value: '1' },
        ],
      },
    ],
    ['metrics that are no list', { metrics: {} }],
  ])('is refused for %s', async (_what, part) => {
    const runId = await api.newRun(experimentId);
    expect(await api.post('runs/log-batch', { run_id: runId, ...part })).toMatchObject({
      status: 400,
      body: { error_code: 'INVALID_PARAMETER_VALUE' },
    });
    expect(await api.service.log.store.readStream(`default/run:${runId}`)).toHaveLength(1);
  });

  it('may hold a thousand metrics; long values are cut', async () => {
    const runId = await api.newRun(experimentId);
    const metrics = Array.from({ length: 1000 }, (_, step) => ({
      key: 'loss',
      value: 1 / (step + 1),
      timestamp: step,
      step,
    }));
    expect((await api.post('runs/log-batch', { run_id: runId, metrics })).status).toBe(200);
    expect(await history(runId, 'loss')).toHaveLength(1000);
    const long = { params: [{ key: 'p', value: 'x'.repeat(7000) }], tags: [{ key: 't', value: 'y'.repeat(9000) }] };
    await api.post('runs/log-batch', { run_id: runId, ...long });
    const { data } = await getRun(runId);
    expect(data.params[0].value).toHaveLength(6000);
    expect(pairs(data.tags).t).toHaveLength(8000);
  });

  it('of fifty writers to one run loses nothing', async () => {
    const runId = await api.newRun(experimentId);
    const batches = Array.from({ length: 50 }, (_, writer) => ({
      run_id: runId,
      metrics: Array.from({ length: 10 }, (_point, step) => ({
        key: `m${writer}`,
        value: step,
        timestamp: step,
        step,
      })),
      ...(writer % 2 === 0 && { params: [{ key: `p${writer}`, value: String(writer) }] }),
    }));
    const answers = await Promise.all(batches.map((batch) => api.post('runs/log-batch', batch)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const { data } = await getRun(runId);
    expect(data.metrics).toHaveLength(50);
    expect(data.metrics.every(({ value }: { value: number }) => value === 9)).toBe(true);
    expect(data.params).toHaveLength(25);
    for (let writer = 0; writer < 50; writer++) expect(await history(runId, `m${writer}`)).toHaveLength(10);
  });
});

describe('a metric', () => {
  it('has its history in order, exact duplicates once, and the latest by step, time and value', async () => {
    const runId = await api.newRun(experimentId);
    const log = ([step, timestamp, value]: readonly [number, number, number]) =>
      api.post('runs/log-metric', { run_id: runId, key: 'm', value, timestamp, step });
    for (const point of [
      [2, 5, 1],
      [1, 9, 7],
      [2, 4, 9],
      [2, 5, 1],
      [2, 5, 0],
    ] as const)
      await log(point);
    expect(await history(runId, 'm')).toEqual([
      { key: 'm', value: 9, timestamp: 4, step: 2 },
      { key: 'm', value: 0, timestamp: 5, step: 2 },
      { key: 'm', value: 1, timestamp: 5, step: 2 },
      { key: 'm', value: 7, timestamp: 9, step: 1 },
    ]);
    expect((await getRun(runId)).data.metrics).toEqual([{ key: 'm', value: 1, timestamp: 5, step: 2 }]);
  });

  it('may be NaN or infinite, as text', async () => {
    const runId = await api.newRun(experimentId);
    for (const [step, value] of ['NaN', 'Infinity', '-Infinity', '0.5'].entries()) {
      await api.post('runs/log-metric', { run_id: runId, key: 'm', value, timestamp: step, step });
    }
    expect((await history(runId, 'm')).map(({ value }: { value: unknown }) => value)).toEqual([
      'NaN',
      Number.MAX_VALUE,
      -Number.MAX_VALUE,
      0.5,
    ]);
    const events = await api.service.log.store.readStream(`default/run:${runId}`);
    const logged = events.slice(1).map(({ data }) => (data as { metrics: { value: unknown }[] }).metrics[0]?.value);
    expect(logged).toEqual(['NaN', 'Infinity', '-Infinity', 0.5]);
  });

  it('is read page by page', async () => {
    const runId = await api.newRun(experimentId);
    const metrics = Array.from({ length: 25 }, (_, step) => ({ key: 'm', value: step, timestamp: step, step }));
    await api.post('runs/log-batch', { run_id: runId, metrics });
    const steps: number[] = [];
    let token: string | undefined;
    do {
      const query = { run_id: runId, metric_key: 'm', max_results: '10', ...(token && { page_token: token }) };
      const { body } = await api.get('metrics/get-history', query);
      steps.push(...body.metrics.map(({ step }: { step: number }) => step));
      token = body.next_page_token;
    } while (token);
    expect(steps).toEqual(metrics.map(({ step }) => step));
    const tooMany = { run_id: runId, metric_key: 'm', max_results: '25001' };
    expect(await api.get('metrics/get-history', tooMany)).toMatchObject({ status: 400 });
  });

  it('is sampled evenly over its rows, the first and the last among them', async () => {
    const [one, other] = [await api.newRun(experimentId), await api.newRun(experimentId)];
    const points = (count: number, step: (index: number) => number) =>
      Array.from({ length: count }, (_, index) => ({ key: 'm', value: index, timestamp: index, step: step(index) }));
    await api.post('runs/log-batch', { run_id: one, metrics: points(1000, (index) => index) });
    await api.post('runs/log-batch', { run_id: other, metrics: points(500, () => 0) });
    const sample = async (query: Record<string, string | string[]>) =>
      (await api.get('metrics/get-history-bulk-interval', { metric_key: 'm', ...query })).body.metrics as {
        run_id: string;
        value: number;
      }[];
    for (const [maxResults, count] of [
      [10, 1000],
      [7, 500],
      [999, 500],
      [1, 1000],
    ] as const) {
      const run_ids = count === 1000 ? one : other;
      const expected =
        maxResults === 1
          ? [count - 1]
          : maxResults >= count
            ? points(count, () => 0).map(({ value }) => value)
            : Array.from({ length: maxResults }, (_, k) => Math.floor((k * (count - 1)) / (maxResults - 1)));
      expect((await sample({ run_ids, max_results: String(maxResults) })).map(({ value }) => value)).toEqual(expected);
    }
    const both = await sample({ run_ids: [other, one], max_results: '5' });
    expect(both.map(({ run_id }) => run_id)).toEqual([...Array(5).fill(other), ...Array(5).fill(one)]);
    const ranged = await sample({ run_ids: one, start_step: '10', end_step: '12' });
    expect(ranged.map(({ value }) => value)).toEqual([10, 11, 12]);
    const bulk = await api.get('metrics/get-history-bulk', {
      run_id: [one, other],
      metric_key: 'm',
      max_results: '1200',
    });
    expect(bulk.body.metrics).toHaveLength(1200);
    expect(
      (await api.get('metrics/get-history-bulk-interval', { metric_key: 'm', run_ids: one, start_step: '1' })).status,
    ).toBe(400);
  });
});

describe('tags', () => {
  it('are set, replaced and removed', async () => {
    const runId = await api.newRun(experimentId);
    await api.post('runs/set-tag', { run_id: runId, key: 't', value: '1' });
    await api.post('runs/set-tag', { run_id: runId, key: 't', value: '2' });
    expect(pairs((await getRun(runId)).data.tags).t).toBe('2');
    expect((await api.post('runs/delete-tag', { run_id: runId, key: 't' })).status).toBe(200);
    expect(pairs((await getRun(runId)).data.tags)).not.toHaveProperty('t');
    expect((await api.post('runs/delete-tag', { run_id: runId, key: 't' })).status).toBe(404);
  });

  it('may be named as what objects inherit', async () => {
    const runId = await api.newRun(experimentId);
    for (const key of ['__proto__', 'constructor', 'toString']) {
      await api.post('runs/set-tag', { run_id: runId, key, value: 'kept' });
      await api.post('runs/log-parameter', { run_id: runId, key, value: 'kept' });
    }
    const { data } = await getRun(runId);
    expect(data.params.map(({ key }: { key: string }) => key).sort()).toEqual(['__proto__', 'constructor', 'toString']);
    const found = await api.post('runs/search', {
      experiment_ids: [experimentId],
      filter: "params.`__proto__` = 'kept'",
    });
    expect(found.body.runs).toHaveLength(1);
  });
});
