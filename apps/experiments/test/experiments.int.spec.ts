import { startApi, type TestApi } from './mlflow-api';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const get = async (experimentId: string) =>
  (await api.get('experiments/get', { experiment_id: experimentId })).body.experiment;

describe('experiments', () => {
  it('begin with one named Default, whose id is 0', async () => {
    expect(await api.get('experiments/get', { experiment_id: '0' })).toMatchObject({
      status: 200,
      body: { experiment: { name: 'Default', lifecycle_stage: 'active', artifact_location: 'mlflow-artifacts:/0' } },
    });
    expect(
      (await api.get('experiments/get-by-name', { experiment_name: 'Default' })).body.experiment.experiment_id,
    ).toBe('0');
  });

  it('are created, under /ajax-api too, and read back by id and by name', async () => {
    const tags = [{ key: 'team', value: 'ops' }];
    const created = await api.post('/ajax-api/2.0/mlflow/experiments/create', {
      name: 'late arrivals',
      tags,
      unknown: 1,
    });
    const id = created.body.experiment_id as string;
    expect(id).toMatch(/^\d{18}$/);
    const experiment = await get(id);
    expect(experiment).toMatchObject({
      experiment_id: id,
      name: 'late arrivals',
      tags,
      artifact_location: `mlflow-artifacts:/${id}`,
    });
    expect(experiment.last_update_time).toBe(experiment.creation_time);
    expect((await api.get('experiments/get-by-name', { experiment_name: 'late arrivals' })).body.experiment).toEqual(
      experiment,
    );
  });

  it('have names of their own', async () => {
    await api.newExperiment('twice');
    expect(await api.post('experiments/create', { name: 'twice' })).toEqual({
      status: 400,
      body: { error_code: 'RESOURCE_ALREADY_EXISTS', message: 'Experiment(name=twice) already exists.' },
    });
  });

  it('of one name that are asked for at once are made once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => api.post('experiments/create', { name: 'raced' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(400)]);
  });

  it('are renamed, which frees the old name and takes the new one', async () => {
    const id = await api.newExperiment('before');
    await api.newExperiment('taken');
    const rename = (new_name: string) => api.post('experiments/update', { experiment_id: id, new_name });
    expect((await rename('taken')).body.error_code).toBe('RESOURCE_ALREADY_EXISTS');
    expect(await get(id)).toMatchObject({ name: 'before' });
    expect((await rename('after')).status).toBe(200);
    expect(await get(id)).toMatchObject({ name: 'after' });
    expect((await api.post('experiments/create', { name: 'before' })).status).toBe(200);
    expect((await api.post('experiments/create', { name: 'after' })).body.error_code).toBe('RESOURCE_ALREADY_EXISTS');
  });

  it('take tags and lose them', async () => {
    const id = await api.newExperiment();
    await api.post('experiments/set-experiment-tag', { experiment_id: id, key: 'a/b', value: 'x'.repeat(20_000) });
    expect((await get(id)).tags).toEqual([{ key: 'a/b', value: 'x'.repeat(20_000) }]);
    const tooLong = await api.post('experiments/set-experiment-tag', {
      experiment_id: id,
      key: 'a',
      value: 'x'.repeat(20_001),
    });
    expect(tooLong).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } });
    expect((await api.post('experiments/delete-experiment-tag', { experiment_id: id, key: 'a/b' })).status).toBe(200);
    expect((await get(id)).tags).toEqual([]);
    expect((await api.post('experiments/delete-experiment-tag', { experiment_id: id, key: 'a/b' })).status).toBe(404);
  });

  it('hide their runs while they are deleted, keep their names, and give everything back', async () => {
    const id = await api.newExperiment('hidden');
    const kept = await api.newRun(id);
    const gone = await api.newRun(id);
    await api.post('runs/delete', { run_id: gone });
    expect((await api.post('experiments/delete', { experiment_id: id })).status).toBe(200);

    expect(await get(id)).toMatchObject({ lifecycle_stage: 'deleted' });
    expect((await api.get('runs/get', { run_id: kept })).body.run.info.lifecycle_stage).toBe('deleted');
    expect((await api.post('runs/search', { experiment_ids: [id] })).body.runs).toEqual([]);
    expect(await api.post('runs/log-metric', { run_id: kept, key: 'a', value: 1, timestamp: 1 })).toMatchObject({
      status: 400,
    });
    expect(await api.post('runs/create', { experiment_id: id })).toMatchObject({ status: 400 });
    expect((await api.post('experiments/create', { name: 'hidden' })).body.error_code).toBe('RESOURCE_ALREADY_EXISTS');
    expect((await api.post('experiments/delete', { experiment_id: id })).status).toBe(404);

    expect((await api.post('experiments/restore', { experiment_id: id })).status).toBe(200);
    const { runs } = (await api.post('runs/search', { experiment_ids: [id] })).body;
    expect(runs.map((run: { info: { run_id: string } }) => run.info.run_id)).toEqual([kept]);
    expect((await api.post('runs/log-metric', { run_id: kept, key: 'a', value: 1, timestamp: 1 })).status).toBe(200);
  });

  it.each([
    [{}, /name/],
    [{ name: '' }, /name/],
    [{ name: 'x'.repeat(501) }, /500/],
    [{ name: 7 }, /name/],
    [{ name: 'x', tags: [{ key: '../a', value: '' }] }, /tags/],
    [{ name: 'x', artifact_location: 'file:///etc' }, /artifact location/],
    [{ name: 'x', artifact_location: '/etc' }, /artifact location/],
    [{ name: 'x', artifact_location: 'http://169.254.169.254/latest' }, /artifact location/],
    [{ name: 'x', artifact_location: 's3://bucket/a#b' }, /path/],
    [{ name: 'x', artifact_location: 's3://bucket/a?b' }, /path/],
    [{ name: 'x', artifact_location: 's3://bucket/../a' }, /path/],
    [{ name: 'x', artifact_location: 's3://bucket/%252e%252e/a' }, /path/],
    [{ name: 'x', artifact_location: 'runs:/abc' }, /artifact location/],
  ])('refuse %j', async (body, message) => {
    const answer = await api.post('experiments/create', body);
    expect(answer).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } });
    expect(answer.body.message).toMatch(message);
  });

  it('may keep their artifacts in a store that clients reach by themselves', async () => {
    const { experiment_id: id } = (
      await api.post('experiments/create', { name: 's3', artifact_location: 's3://bucket/ml/' })
    ).body;
    const runId = await api.newRun(id);
    const { run } = (await api.get('runs/get', { run_id: runId })).body;
    expect(run.info.artifact_uri).toBe(`s3://bucket/ml/${runId}/artifacts`);
  });

  it('that are not there are told so', async () => {
    for (const answer of [
      await api.get('experiments/get', { experiment_id: '404' }),
      await api.get('experiments/get-by-name', { experiment_name: 'nobody' }),
      await api.post('experiments/update', { experiment_id: '404', new_name: 'x' }),
      await api.post('experiments/restore', { experiment_id: '404' }),
      await api.post('runs/create', { experiment_id: '404' }),
    ]) {
      expect(answer).toMatchObject({ status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST' } });
    }
  });
});

describe('a search of experiments', () => {
  const names = async (search: object) => {
    const { body } = await api.post('experiments/search', { max_results: 100, ...search });
    return body.experiments.map(({ name }: { name: string }) => name);
  };

  beforeAll(async () => {
    for (const [name, team] of [
      ['search a', 'x'],
      ['search b', 'y'],
      ['search C', 'x'],
    ] as const) {
      await api.post('experiments/create', { name, tags: [{ key: 'team', value: team }] });
    }
    const { experiment } = (await api.get('experiments/get-by-name', { experiment_name: 'search b' })).body;
    await api.post('experiments/delete', { experiment_id: experiment.experiment_id });
  });

  it('filters, orders and looks at what is deleted', async () => {
    expect(await names({ filter: "name LIKE 'search %'", order_by: ['name ASC'] })).toEqual(['search C', 'search a']);
    expect(await names({ filter: "name LIKE 'search %'", order_by: ['name DESC'], view_type: 'ALL' })).toEqual([
      'search b',
      'search a',
      'search C',
    ]);
    expect(await names({ filter: "name LIKE 'search %'", view_type: 'DELETED_ONLY' })).toEqual(['search b']);
    expect(await names({ filter: "name ILIKE 'SEARCH c'" })).toEqual(['search C']);
    expect(await names({ filter: "tags.team = 'x' AND name != 'search a'" })).toEqual(['search C']);
    expect(await names({ filter: "experiment_id IN ('0')" })).toEqual(['Default']);
  });

  it('goes page by page, by POST and by GET', async () => {
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const query = { max_results: '2', view_type: '3', order_by: ['name'], ...(token && { page_token: token }) };
      const { body } = await api.get('experiments/search', query);
      expect(body.experiments.length).toBeLessThanOrEqual(2);
      seen.push(...body.experiments.map(({ name }: { name: string }) => name));
      token = body.next_page_token;
    } while (token);
    expect(seen).toEqual(await names({ view_type: 'ALL', order_by: ['name'], max_results: 50_000 }));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it.each([
    { filter: 'name = unquoted' },
    { filter: 'metrics.a > 1' },
    { order_by: ['nope'] },
    { max_results: 50_001 },
    { max_results: 0 },
    { page_token: 'nonsense' },
    { view_type: 'SOME' },
  ])('refuses %j', async (search) => {
    expect(await api.post('experiments/search', search)).toMatchObject({
      status: 400,
      body: { error_code: 'INVALID_PARAMETER_VALUE' },
    });
  });
});

describe('the root', () => {
  it('answers anybody', async () => {
    expect(await api.get('/health')).toEqual({ status: 200, body: 'OK' });
    expect((await api.get('/version')).body).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('has no other routes than those listed', async () => {
    expect(await api.post('runs/nope')).toMatchObject({ status: 404, body: { error_code: 'ENDPOINT_NOT_FOUND' } });
  });
});
