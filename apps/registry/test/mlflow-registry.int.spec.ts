import { randomUUID } from 'node:crypto';
import { RegisteredModelHandler } from '../src/registered-model/registered-model.handler';
import { RegistryWorld, runStarted, storedFile } from './registry-world';

let world: RegistryWorld;
beforeAll(async () => {
  world = await RegistryWorld.start();
});
afterAll(() => world?.stop());

const register = (name: string, more = {}) => world.mlflow('POST', 'registered-models/create', { name, ...more });

describe('registered models', () => {
  it('are created, read, described, tagged and deleted', async () => {
    const tags = [{ key: 'team', value: 'arrivals' }];
    const created = await register('delay', { description: 'late?', tags });
    expect(created).toMatchObject({
      status: 200,
      body: { registered_model: { name: 'delay', description: 'late?', tags, latest_versions: [], aliases: [] } },
    });
    expect(created.body.registered_model.creation_timestamp).toBe(created.body.registered_model.last_updated_timestamp);
    await world.mlflow('PATCH', 'registered-models/update', { name: 'delay', description: 'really late?' });
    await world.mlflow('POST', 'registered-models/set-tag', { name: 'delay', key: 'a/b.c', value: 'x' });
    await world.mlflow('DELETE', 'registered-models/delete-tag', { name: 'delay', key: 'team' });
    expect((await world.mlflow('GET', 'registered-models/get', { name: 'delay' })).body).toMatchObject({
      registered_model: { description: 'really late?', tags: [{ key: 'a/b.c', value: 'x' }] },
    });
    expect(await world.mlflow('DELETE', 'registered-models/delete', { name: 'delay' })).toEqual({
      status: 200,
      body: {},
    });
    expect(await world.mlflow('GET', 'registered-models/get', { name: 'delay' })).toMatchObject({
      status: 404,
      body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'Registered Model with name=delay not found' },
    });
    expect(await register('delay')).toMatchObject({ status: 200 });
  });

  it('keep a name to one', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => register('contested')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.find(({ status }) => status !== 200)).toMatchObject({
      status: 400,
      body: { error_code: 'RESOURCE_ALREADY_EXISTS' },
    });
  });

  it('are renamed with their versions and aliases, and free the old name', async () => {
    const version = await world.logVersion('before');
    await world.mlflow('POST', 'registered-models/alias', { name: 'before', alias: 'blue', version: String(version) });
    const renamed = await world.mlflow('POST', 'registered-models/rename', { name: 'before', new_name: 'after' });
    expect(renamed.body.registered_model).toMatchObject({
      name: 'after',
      aliases: [{ alias: 'blue', version: '1' }],
      latest_versions: [{ name: 'after', version: '1', aliases: ['blue'] }],
    });
    expect((await world.mlflow('GET', 'registered-models/get', { name: 'before' })).status).toBe(404);
    await register('before');
    const taken = await world.mlflow('POST', 'registered-models/rename', { name: 'after', new_name: 'before' });
    expect(taken).toMatchObject({ status: 400, body: { error_code: 'RESOURCE_ALREADY_EXISTS' } });
  });

  it.each([
    ['an empty name', { name: '' }],
    ['no name', { name: undefined }],
    ['a name that is no text', { name: 7 }],
    ['a path', { name: 'a/b' }],
    ['a URI', { name: 'models:x' }],
    ['a step upwards', { name: '..' }],
    ['a name of 257 characters', { name: 'n'.repeat(257) }],
    ['a control character', { name: 'a\u0007' }],
    ['a tag key that climbs', { name: 'fine', tags: [{ key: '../x', value: '' }] }],
    ['a tag value of 100,001 characters', { name: 'fine', tags: [{ key: 'x', value: 'v'.repeat(100_001) }] }],
  ])('refuse %s', async (_case, input) => {
    expect(await world.mlflow('POST', 'registered-models/create', input)).toMatchObject({
      status: 400,
      body: { error_code: 'INVALID_PARAMETER_VALUE' },
    });
  });
});

describe('model versions', () => {
  it('come from a logged model, with its run, its location and its files', async () => {
    await register('logged');
    const { runId, loggedModelId } = await world.logRun();
    const { body } = await world.mlflow('POST', 'model-versions/create', {
      ...{ name: 'logged', source: `models:/${loggedModelId}`, model_id: loggedModelId, description: 'first' },
      tags: [{ key: 'k', value: 'v' }],
    });
    expect(body.model_version).toMatchObject({
      ...{ name: 'logged', version: '1', run_id: runId, model_id: loggedModelId, status: 'READY' },
      ...{ current_stage: 'None', description: 'first', tags: [{ key: 'k', value: 'v' }] },
    });
    const uri = await world.mlflow('GET', 'model-versions/get-download-uri', { name: 'logged', version: '1' });
    expect(uri.body).toEqual({ artifact_uri: `mlflow-artifacts:/7/models/${loggedModelId}/artifacts` });
    const { state } = await latestState('logged');
    expect(state.versions[0]!.origin).toMatchObject({
      experimentId: '7',
      files: [{ path: 'MLmodel' }, { path: 'model.onnx', sizeBytes: 7 }],
    });
  });

  it('come from a run, and from its artifacts, with the files below the path', async () => {
    await register('plain');
    const runId = randomUUID().replaceAll('-', '');
    const files = ['model/MLmodel', 'model/data/weights.bin', 'modelling.txt'].map((path) =>
      storedFile({ runId }, path),
    );
    await world.experiments.tell(['run', runId], [runStarted(runId), ...files]);
    const create = (source: string) =>
      world.mlflow('POST', 'model-versions/create', { name: 'plain', source, run_id: runId });
    expect((await create(`runs:/${runId}/model`)).body.model_version).toMatchObject({ version: '1', run_id: runId });
    expect((await create(`mlflow-artifacts:/7/${runId}/artifacts/model`)).body.model_version.version).toBe('2');
    const { state } = await latestState('plain');
    for (const version of state.versions) {
      expect(version.origin.files.map(({ path }) => path)).toEqual(['MLmodel', 'data/weights.bin']);
    }
  });

  it('hold every file of a run that is registered while the last of them arrive', async () => {
    await register('hasty');
    const runId = randomUUID().replaceAll('-', '');
    const paths = Array.from({ length: 8 }, (_, index) => `part-${index}`);
    const [first, ...others] = paths.map((path) => storedFile({ runId }, `model/${path}`));
    await world.experiments.tell(['run', runId], [runStarted(runId), first!]);
    const input = { name: 'hasty', source: `runs:/${runId}/model`, run_id: runId };
    const created = world.mlflow('POST', 'model-versions/create', input);
    for (const file of others) await world.experiments.tell(['run', runId], [file]);
    expect((await created).status).toBe(200);
    const { state } = await latestState('hasty');
    expect(state.versions[0]!.origin.files.map(({ path }) => path)).toEqual(paths);
  });

  it('are copied from another model by version and by alias, with what they came from', async () => {
    await world.logVersion('original');
    await world.mlflow('POST', 'registered-models/alias', { name: 'original', alias: 'best', version: '1' });
    await register('copy');
    for (const source of ['models:/original/1', 'models:/original@best']) {
      const copied = await world.mlflow('POST', 'model-versions/create', { name: 'copy', source });
      expect(copied.body.model_version.source).toBe('models:/original/1');
    }
    const [original, copy] = await Promise.all(['original', 'copy'].map((name) => latestState(name)));
    expect(copy!.state.versions[1]!.origin).toEqual({
      ...original!.state.versions[0]!.origin,
      source: 'models:/original/1',
    });
  });

  it('are copied from the latest version that is there, of all or of a stage', async () => {
    for (let version = 1; version <= 4; version += 1) await world.logVersion('successive');
    for (const version of ['1', '2']) {
      const stage = { name: 'successive', version, stage: 'Production', archive_existing_versions: false };
      await world.mlflow('POST', 'model-versions/transition-stage', stage);
    }
    await world.mlflow('DELETE', 'model-versions/delete', { name: 'successive', version: '4' });
    await register('of-successive');
    for (const [source, copied] of [
      ['models:/successive/latest', 'models:/successive/3'],
      ['models:/successive@latest', 'models:/successive/3'],
      ['models:/successive/production', 'models:/successive/2'],
    ]) {
      const answer = await world.mlflow('POST', 'model-versions/create', { name: 'of-successive', source });
      expect(answer.body.model_version?.source).toBe(copied);
    }
    const none = { name: 'of-successive', source: 'models:/successive/Archived' };
    expect(await world.mlflow('POST', 'model-versions/create', none)).toMatchObject({ status: 400 });
  });

  it('wait a moment for the run and the model that the client made just before', async () => {
    await register('impatient');
    const pending = world.mlflow('POST', 'model-versions/create', {
      name: 'impatient',
      source: 'runs:/late1/model',
      run_id: 'late1',
    });
    await world.experiments.tell(['run', 'late1'], [runStarted('late1')]);
    expect((await pending).status).toBe(200);
  });

  it('are not called unknown while their events are known to be on the way', async () => {
    await register('behind');
    await world.logRun();
    const create = () =>
      world.mlflow('POST', 'model-versions/create', { name: 'behind', source: 'runs:/late2/model', run_id: 'late2' });
    // Whoever handles what is told of runs waits here, like a replica that was killed.
    await world.kit.service.log.dataSource.transaction(async (manager) => {
      await manager.query(`select from consumer_offsets where consumer = 'source_runs' for update`);
      await world.experiments.tell(['run', 'late2'], [runStarted('late2')]);
      expect(await create()).toMatchObject({ status: 503, body: { error_code: 'TEMPORARILY_UNAVAILABLE' } });
    });
    expect((await create()).status).toBe(200);
    const unknown = { name: 'behind', source: 'runs:/never/model', run_id: 'never' };
    expect((await world.mlflow('POST', 'model-versions/create', unknown)).status).toBe(404);
  });

  it('are numbered densely under 50 creations at once', async () => {
    await register('busy');
    const { loggedModelId: model_id } = await world.logRun();
    const input = { name: 'busy', source: `models:/${model_id}`, model_id };
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => world.mlflow('POST', 'model-versions/create', input)),
    );
    const numbers = answers.map(({ body }) => Number(body.model_version?.version)).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  it('change description, tags and stage, and are deleted for good', async () => {
    await world.logVersion('staged');
    await world.logVersion('staged');
    const first = { name: 'staged', version: '1' };
    await world.mlflow('PATCH', 'model-versions/update', { ...first, description: 'd' });
    await world.mlflow('POST', 'model-versions/set-tag', { ...first, key: 'k', value: 'v' });
    await world.mlflow('POST', 'model-versions/set-tag', { ...first, key: 'gone', value: 'v' });
    await world.mlflow('DELETE', 'model-versions/delete-tag', { ...first, key: 'gone' });
    const stage = (version: string, to: string, archive: boolean) =>
      world.mlflow('POST', 'model-versions/transition-stage', {
        name: 'staged',
        version,
        stage: to,
        archive_existing_versions: archive,
      });
    await stage('1', 'production', false);
    const moved = await stage('2', 'Production', true);
    expect(moved.body.model_version).toMatchObject({ version: '2', current_stage: 'Production' });
    expect((await world.mlflow('GET', 'model-versions/get', first)).body.model_version).toMatchObject({
      ...{ description: 'd', tags: [{ key: 'k', value: 'v' }], current_stage: 'Archived' },
    });
    const latest = await world.mlflow('POST', 'registered-models/get-latest-versions', {
      name: 'staged',
      stages: ['production'],
    });
    expect(latest.body.model_versions).toMatchObject([{ version: '2' }]);
    const both = await world.mlflow('GET', 'registered-models/get-latest-versions', { name: 'staged' });
    expect(both.body.model_versions).toHaveLength(2);
    expect(await stage('1', 'Nowhere', false)).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('Invalid Model Version stage: Nowhere') },
    });
    await world.mlflow('DELETE', 'model-versions/delete', { name: 'staged', version: '2' });
    expect((await world.mlflow('GET', 'model-versions/get', { name: 'staged', version: '2' })).status).toBe(404);
    expect(await world.logVersion('staged')).toBe(3);
  });
});

describe('aliases', () => {
  it('point at versions, move and go', async () => {
    await world.logVersion('aliased');
    await world.logVersion('aliased');
    const set = (alias: string, version: string) =>
      world.mlflow('POST', 'registered-models/alias', { name: 'aliased', alias, version });
    const get = (alias: string) => world.mlflow('GET', 'registered-models/alias', { name: 'aliased', alias });
    expect(await set('blue', '1')).toEqual({ status: 200, body: {} });
    await set('blue', '2');
    expect((await get('blue')).body.model_version).toMatchObject({ version: '2', aliases: ['blue'] });
    expect((await get('Latest')).body.model_version.version).toBe('2');
    await world.mlflow('DELETE', 'registered-models/alias', { name: 'aliased', alias: 'blue' });
    expect(await get('blue')).toMatchObject({
      status: 400,
      body: { error_code: 'INVALID_PARAMETER_VALUE', message: 'Registered model alias blue not found.' },
    });
    expect((await set('blue', '9')).status).toBe(404);
    for (const bad of ['latest', 'V3', 'a b', 'a/b', '', 'a'.repeat(256)]) {
      expect(await set(bad, '1')).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } });
    }
  });
});

async function latestState(name: string) {
  const handler = world.kit.service.app.get(RegisteredModelHandler);
  return handler.find('default', name);
}

describe('files of a version', () => {
  it('are served as attachments, from the version’s own list', async () => {
    const { objectStore } = world.kit.runtime;
    const runId = 'withbytes';
    const stored = storedFile({ runId }, 'model/page.html');
    await objectStore.put(stored.data.objectKey, Buffer.from('<script>1</script>'));
    await world.experiments.tell(['run', runId], [runStarted(runId), stored]);
    await register('bytes');
    await world.mlflow('POST', 'model-versions/create', {
      name: 'bytes',
      source: `runs:/${runId}/model`,
      run_id: runId,
    });
    const get = (path: string) =>
      world.kit.inject({ method: 'GET', url: `/model-versions/get-artifact?name=bytes&version=1&path=${path}` });
    const file = await get('page.html');
    expect(file.statusCode).toBe(200);
    expect(file.body).toBe('<script>1</script>');
    expect(file.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': "attachment; filename*=UTF-8''page.html",
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
    });
    for (const path of ['..%2f..%2fetc%2fpasswd', '/etc/passwd', 'nothing', '%252e%252e/x']) {
      expect((await get(path)).statusCode).toBe(404);
    }
  });
});
