import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from '@mledger/infra';
import { describeWith } from '@mledger/infra/jest';
import { startApi, type TestApi } from './mlflow-api';

const REQUIREMENTS = [
  'mlflow==3.17.2',
  'onnx==1.23.2',
  'onnxruntime==1.32.0',
  'pandas==3.1.1',
  // skl2onnx 1.20 writes booleans where protobuf 7 accepts integers only.
  'protobuf==6.33.6',
  'scikit-learn==1.9.1',
  'skl2onnx==1.20.0',
];
const HABITS = [
  'experiments',
  'run_life',
  'batches',
  'threads',
  'search',
  'artifacts',
  'inputs',
  'sklearn_autolog',
  'onnx_model',
];
const INSTALL_AND_RUN_MS_MAX = 8 * 60_000;

interface Outcome {
  readonly habit: string;
  readonly error?: string;
  readonly result?: Readonly<Record<string, string>>;
}

describeWith(['python'], "MLflow's own client", () => {
  let api: TestApi;
  const outcomes = new Map<string, Outcome>();

  beforeAll(async () => {
    const { python } = await pythonEnvironment({ name: 'mlflow-client', requirements: REQUIREMENTS, log: console.log });
    api = await startApi({ listen: true });
    // What the client says of itself at length, and what it would fetch or find outside, is no part of this.
    const env = {
      ...process.env,
      MLFLOW_DISABLE_TELEMETRY: 'true',
      MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR: 'false',
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
      GIT_PYTHON_REFRESH: 'quiet',
    };
    const script = join(__dirname, 'mlflow_client.py');
    const { stdout } = await promisify(execFile)(python, [script, api.url], { env, maxBuffer: 1 << 26 });
    for (const line of stdout.split('\n').filter((text) => text.startsWith('{"habit"'))) {
      const outcome = JSON.parse(line) as Outcome;
      outcomes.set(outcome.habit, outcome);
    }
  }, INSTALL_AND_RUN_MS_MAX);
  afterAll(() => api.stop());

  it.each(HABITS)('%s', (habit) => {
    const { error } = outcomes.get(habit) ?? { error: 'it was never begun' };
    if (error !== undefined) throw new Error(error);
  });

  const eventsOf = async (stream: string) => {
    const events = await api.service.log.store.readStream(`default/${stream}`);
    return events.map(({ type, data }) => ({ type, data: data as Record<string, unknown> }));
  };

  it('leaves in the log where a run read its data', async () => {
    const events = await eventsOf(`run:${outcomes.get('inputs')?.result?.runId}`);
    const logged = events.find(({ type }) => type === 'InputsLogged');
    expect(JSON.stringify(logged?.data)).toContain('s3://flights/c4d1a7e0b2/months/01.parquet');
  });

  it('leaves in the log the digest of every byte it stored', async () => {
    const { runId, sha256 } = outcomes.get('artifacts')?.result ?? {};
    const stored = (await eventsOf(`run:${runId}`)).filter(({ type }) => type === 'ArtifactStored');
    expect(stored.find(({ data }) => data.path === 'files/big.bin')?.data).toMatchObject({
      sizeBytes: 20_000_000,
      sha256,
    });
  });

  it('leaves a model whose files came before its digest', async () => {
    const types = (await eventsOf(`logged-model:${outcomes.get('onnx_model')?.result?.modelId}`)).map(
      ({ type }) => type,
    );
    expect(types[0]).toBe('LoggedModelCreated');
    const ready = types.indexOf('LoggedModelReady');
    expect(types.slice(0, ready).filter((type) => type === 'ArtifactStored').length).toBeGreaterThanOrEqual(5);
    expect(types.slice(ready)).not.toContain('ArtifactStored');
  });
});
