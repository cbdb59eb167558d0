import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from '@mledger/infra';
import { describeWith } from '@mledger/infra/jest';
import { RegistryWorld } from './registry-world';

const run = promisify(execFile);

/** The tracking calls that the client makes besides belong to experiments, which does not run here. */
describeWith(['python'], 'the unmodified MLflow client', () => {
  let world: RegistryWorld;
  beforeAll(async () => {
    world = await RegistryWorld.start({}, { listen: true });
  });
  afterAll(() => world?.stop());

  it('lives through the whole registry', async () => {
    const { python } = await pythonEnvironment({ name: 'mlflow', requirements: ['mlflow-skinny==3.17.2'] });
    const [one, two] = [await world.logRun(), await world.logRun()];
    const script = join(__dirname, 'python/registry_client.py');
    const { stdout } = await run(python, [script, one.loggedModelId, two.loggedModelId, one.runId], {
      env: { PATH: process.env.PATH, MLFLOW_TRACKING_URI: world.kit.url, MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1' },
    });
    const seen = JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, unknown>;
    const location = `mlflow-artifacts:/7/models/${one.loggedModelId}/artifacts`;
    expect(seen).toEqual({
      created: ['delay', { team: 'arrivals' }, 'late?'],
      twice: 'RESOURCE_ALREADY_EXISTS',
      first: ['1', 'READY', one.runId, { k: 'v' }, `models:/${one.loggedModelId}`],
      second: ['2', 'two', 'None'],
      by_alias: '2',
      aliases: { blue: '2' },
      download: location,
      no_alias: 'INVALID_PARAMETER_VALUE',
      stage: 'Production',
      latest: ['2'],
      version: [{ validated: 'yes' }, 'second', 'Production'],
      model: [{ 'a/b': 'x' }, 'really late?'],
      copied: ['delay-copy', '1', 'models:/delay/2'],
      searches: [
        ['delay/1', 'delay/2'],
        ['delay/2'],
        ['delay/1'],
        ['delay/1'],
        ['delay-copy/1', 'delay/2'],
        ['delay/2'],
        ['delay/1'],
        ['delay-copy/1', 'delay/1', 'delay/2'],
      ],
      ordered: ['delay-copy/1', 'delay/1', 'delay/2'],
      pages: ['delay/1', 'delay/2', 'delay-copy/1'],
      models: ['delay-copy', 'delay'],
      latest_of_model: ['1', '2'],
      bad_filter: 'INVALID_PARAMETER_VALUE',
      prompt: [1, 'Hello {{name}}'],
      no_prompts: ['delay', 'delay-copy'],
      prompts: ['greeting'],
      hostile: Array.from({ length: 4 }, () => 'INVALID_PARAMETER_VALUE'),
      renamed: ['late', 'RESOURCE_DOES_NOT_EXIST'],
      deleted_version: 'RESOURCE_DOES_NOT_EXIST',
      deleted_model: 'RESOURCE_DOES_NOT_EXIST',
    });
  }, 180_000);
});
