import { RegistryWorld, type LoggedRun } from './registry-world';

let world: RegistryWorld;
let mine: LoggedRun;
let other: LoggedRun;
beforeAll(async () => {
  world = await RegistryWorld.start();
  await world.mlflow('POST', 'registered-models/create', { name: 'target' });
  mine = await world.logRun();
  other = await world.logRun();
});
afterAll(() => world?.stop());

const create = (input: Record<string, unknown>) =>
  world.mlflow('POST', 'model-versions/create', { name: 'target', ...input });

describe('what broke others', () => {
  it.each([
    'file:///etc',
    '/etc/passwd',
    '../../etc/passwd',
    'http://169.254.169.254/latest',
    'https://example.com/x',
    'mlflow-artifacts://example.com/7/x',
    'mlflow-artifacts:/7/RUN/artifacts/../../../../etc',
    'mlflow-artifacts:/7/RUN/artifacts/\\..\\..\\etc',
    'mlflow-artifacts:/7/RUN/artifacts/%2E%2E%2F%2E%2E%2Fetc',
    'mlflow-artifacts:/7/RUN/artifacts/%252E%252E%252Fetc',
    'mlflow-artifacts:/7/RUN/artifacts#x',
    'mlflow-artifacts:/7/RUN/artifacts?x',
    'mlflow-artifacts:/7/RUN/artifacts;..%2F',
    'mlflow-artifacts:/7/RUN/artifacts/%00',
    'mlflow-artifacts:/7/OTHER/artifacts/model',
    'mlflow-artifacts:/7/RUN/artifactsX',
    'mlflow-artifacts:/7',
    'runs:/OTHER/model',
  ])('source %s is refused, and nothing is stored', async (template) => {
    const source = template.replace('RUN', mine.runId).replace('OTHER', other.runId);
    expect(await create({ source, run_id: mine.runId })).toMatchObject({
      status: 400,
      body: { error_code: 'INVALID_PARAMETER_VALUE', message: expect.stringContaining('Invalid model version source') },
    });
    const found = await world.mlflow('GET', 'model-versions/search', { filter: "name = 'target'" });
    expect(found.body.model_versions).toEqual([]);
  });

  it.each([
    [
      'a model other than the one it names',
      () => ({ source: `models:/${mine.loggedModelId}`, model_id: other.loggedModelId }),
    ],
    ['a run that did not log the model', () => ({ source: `models:/${mine.loggedModelId}`, run_id: other.runId })],
    [
      'another model’s artifacts',
      () => ({ source: `mlflow-artifacts:/7/models/${other.loggedModelId}/artifacts`, model_id: mine.loggedModelId }),
    ],
    ['a run’s source without its run', () => ({ source: `runs:/${mine.runId}/model` })],
    ['a version that does not exist', () => ({ source: 'models:/target/9' })],
  ])('%s is refused', async (_case, input) => {
    expect(await create(input())).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } });
  });

  it('a tag does not turn the check of a source off', async () => {
    const tags = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }];
    expect(await create({ source: 'file:///etc', tags })).toMatchObject({ status: 400 });
    expect(await create({ source: `models:/${mine.loggedModelId}`, tags })).toMatchObject({ status: 400 });
  });

  it('a run that never was is told as absent, after a moment', async () => {
    expect(await create({ source: 'runs:/nowhere/model', run_id: 'nowhere' })).toMatchObject({
      status: 404,
      body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'Run with id=nowhere not found' },
    });
  });

  it('filters are bounded and never reach SQL as text', async () => {
    const search = (filter: string) => world.mlflow('GET', 'model-versions/search', { filter });
    const long = await world.mlflow('GET', 'registered-models/search', { filter: `name = '${'x'.repeat(70_000)}'` });
    expect(long.status).toBe(400);
    for (const filter of [
      "name = 'a' OR 1=1",
      "name = 'a'; drop table models",
      "name = ''' or ''1''=''1",
      'nme = 1',
      "name > 'a'",
      "tags.x IN ('a')",
      'name =',
      "version_number = 'one'",
      `name LIKE '${'%a'.repeat(11)}'`,
      "name = 'a' name = 'b'",
    ]) {
      const { status, body } = await search(filter);
      if (status === 200) expect(body.model_versions).toEqual([]);
      else expect({ status, code: body.error_code }).toEqual({ status: 400, code: 'INVALID_PARAMETER_VALUE' });
    }
    for (const input of [{ max_results: 0 }, { max_results: 200_001 }, { order_by: 'nothing' }, { page_token: 'x' }]) {
      expect((await world.mlflow('GET', 'model-versions/search', input)).status).toBe(400);
    }
  });

  it('bodies that are not what they seem are refused', async () => {
    const raw = (payload: string, type = 'application/json') =>
      world.kit.inject({
        method: 'POST',
        url: '/api/2.0/mlflow/registered-models/create',
        headers: { 'content-type': type },
        payload,
      });
    expect((await raw('{"name":"x","name":"y"}')).statusCode).toBe(400);
    expect((await raw('{"name":"x","__proto__":{}}')).statusCode).toBe(400);
    expect((await raw(`{"name":${'['.repeat(10_000)}${']'.repeat(10_000)}}`)).statusCode).toBe(400);
    expect((await raw('{"name":"a\\u0000"}')).statusCode).toBe(400);
    expect((await raw('{')).json()).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' });
  });
});
