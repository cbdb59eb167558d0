import { RegistryWorld } from './registry-world';

let world: RegistryWorld;
beforeAll(async () => {
  world = await RegistryWorld.start();
});
afterAll(() => world?.stop());

const versionsFound = async (filter: string) => {
  const { status, body } = await world.mlflow('GET', 'model-versions/search', { filter });
  return status === 200 ? body.model_versions?.map(({ version }: { version: string }) => version) : body;
};

describe('a search for versions', () => {
  it('tells the newest version first, whatever was changed last', async () => {
    for (let version = 1; version <= 3; version += 1) await world.logVersion('ordered');
    await world.mlflow('PATCH', 'model-versions/update', { name: 'ordered', version: '1', description: 'changed' });
    expect(await versionsFound("name = 'ordered'")).toEqual(['3', '2', '1']);
  });

  it('that excludes a run finds versions that have none', async () => {
    await world.logVersion('runless');
    await world.mlflow('POST', 'model-versions/create', { name: 'runless', source: 's3://bucket/model' });
    expect(await versionsFound("name = 'runless' AND run_id != 'other'")).toEqual(['2', '1']);
    expect(await versionsFound("name = 'runless' AND run_id NOT IN ('other')")).toEqual(['2', '1']);
  });

  it('for prompts leaves out a model that was registered under the name of a prompt', async () => {
    const tags = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }];
    await world.mlflow('POST', 'registered-models/create', { name: 'greeting', tags });
    await world.mlflow('POST', 'model-versions/create', { name: 'greeting', source: 'prompt-template', tags });
    const model = { name: 'greeting', source: 's3://bucket/model' };
    expect(await world.mlflow('POST', 'model-versions/create', model)).toMatchObject({ status: 200 });
    expect(await versionsFound("name = 'greeting' AND tag.`mlflow.prompt.is_prompt` = 'true'")).toEqual(['1']);
  });

  it('takes a backslash in a pattern for itself', async () => {
    await world.logVersion('back\\slash');
    await world.logVersion('back_slash');
    expect(await versionsFound("name LIKE 'back\\%'")).toEqual(['1']);
    expect(await versionsFound("name LIKE 'none\\'")).toEqual([]);
    const { status, body } = await world.mlflow('GET', 'registered-models/search', { filter: "name ILIKE 'BACK%\\'" });
    expect([status, body.registered_models ?? []]).toEqual([200, []]);
  });
});

it('aliases and the keys of tags may have letters of any script', async () => {
  const version = String(await world.logVersion('scripts'));
  const of = { name: 'scripts', version };
  expect((await world.mlflow('POST', 'registered-models/alias', { ...of, alias: 'prüfung' })).status).toBe(200);
  const { body } = await world.mlflow('GET', 'registered-models/alias', { name: 'scripts', alias: 'prüfung' });
  expect(body.model_version.version).toBe(version);
  expect((await world.mlflow('POST', 'model-versions/set-tag', { ...of, key: 'größe', value: '7' })).status).toBe(200);
  expect(await versionsFound("name = 'scripts' AND tags.größe = '7'")).toEqual([version]);
  const copy = { name: 'scripts', source: 'models:/scripts@prüfung' };
  expect((await world.mlflow('POST', 'model-versions/create', copy)).status).toBe(200);
});
