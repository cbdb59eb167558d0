import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '@mledger/infra';
import { closedLoop, type LoadResult } from './closed-loop';
import { JsonClient } from './json-client';
import { besides, cores, type Report, type Suite } from './measurement';
import { pythonForPeer, ROOT, startMlflow, startStandalone, type Server } from './server';
import { inTempFolder } from './temp-folder';

/** The sum of each row, doubled: so small a graph that what is measured is the serving of it. */
const GRAPH = join(ROOT, 'apps/serving/test/fixtures/double.onnx');
const SAVE_FOR_PEER = `
import sys, mlflow, numpy, onnx
from mlflow.models import infer_signature
rows = numpy.zeros((1, 2), dtype=numpy.float32)
mlflow.onnx.save_model(
    onnx.load(sys.argv[1]), sys.argv[2], signature=infer_signature(rows), pip_requirements=['onnxruntime']
)
`;
/** The same graph on the same runtime. */
const PEER = 'mlflow models serve';
const WARM_UP_SECONDS = 2;
const MEASURED_SECONDS = 8;

interface Load {
  readonly callers: number;
  readonly rows: number;
}
const LOADS: readonly Load[] = [
  { callers: 1, rows: 1 },
  { callers: 1, rows: 1_000 },
  { callers: 64, rows: 1 },
  { callers: 64, rows: 1_000 },
];

export const servingSuite: Suite = {
  name: 'serving',
  summary: 'predictions over HTTP by a standalone, each on record before it is answered, beside MLflow’s own server',
  run: (report) =>
    inTempFolder(async (folder) => {
      const peer = await startPeer(join(folder, 'model'));
      const theirs = peer && (await measured(peer, '/invocations'));
      const standalone = await startStandalone(join(folder, 'home'));
      await deploy(standalone.url);
      const ours = await measured(standalone, '/endpoints/sums/invocations');
      for (const [index, load] of LOADS.entries()) reportLoad(load, ours[index]!, theirs?.[index], report);
    }),
};

async function measured(server: Server, path: string): Promise<LoadResult[]> {
  const results: LoadResult[] = [];
  try {
    for (const { callers, rows } of LOADS) {
      const client = new JsonClient(server.url);
      const body = JSON.stringify({ inputs: Array.from({ length: rows }, (_, row) => [row + 0.25, 0.5]) });
      const work = () => client.send('POST', path, body);
      results.push(await closedLoop({ callers, warmUpSeconds: WARM_UP_SECONDS, seconds: MEASURED_SECONDS, work }));
    }
  } finally {
    await server.stop();
  }
  return results;
}

function reportLoad({ callers, rows }: Load, ours: LoadResult, theirs: LoadResult | undefined, report: Report): void {
  const name = `predictions of ${counted(rows, 'row')}, ${counted(callers, 'caller')}`;
  const conditions = `JSON to /invocations, ${cores()} shared by server, Postgres and callers; the peer records nothing`;
  const { perSecond: value, latencyMs } = ours;
  const { p50 } = latencyMs;
  report({ name, value, unit: 'requests/s', conditions, ...besides(PEER, value, theirs?.perSecond) });
  report({ name: `${name}, p50`, value: p50, unit: 'ms', conditions, ...besides(PEER, p50, theirs?.latencyMs.p50) });
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`;
}

/** What a client of MLflow sends for `log_model` and `register_model`, then an endpoint of the version. */
async function deploy(url: string): Promise<void> {
  const client = new JsonClient(url);
  const mlflow = '/api/2.0/mlflow';
  const { experiment_id } = await client.post<{ experiment_id: string }>(`${mlflow}/experiments/create`, {
    name: 'bench',
  });
  const { run } = await client.post<{ run: { info: { run_id: string } } }>(`${mlflow}/runs/create`, { experiment_id });
  const { run_id } = run.info;
  const { model } = await client.post<{ model: { info: { model_id: string } } }>(`${mlflow}/logged-models`, {
    experiment_id,
    name: 'sums',
    source_run_id: run_id,
  });
  const { model_id } = model.info;
  const file = `/api/2.0/mlflow-artifacts/artifacts/${experiment_id}/models/${model_id}/artifacts/model.onnx`;
  await fetch(`${url}${file}`, { method: 'PUT', body: readFileSync(GRAPH) });
  const done = JSON.stringify({ model_id, status: 'LOGGED_MODEL_READY' });
  await client.send('PATCH', `${mlflow}/logged-models/${model_id}`, done);
  await client.post(`${mlflow}/registered-models/create`, { name: 'sums' });
  await client.post(`${mlflow}/model-versions/create`, { name: 'sums', source: `models:/${model_id}`, run_id });
  // Serving hears of the version by the registry's events.
  const endpoint = () =>
    client.send('PUT', '/api/mledger/v1/endpoints/sums', JSON.stringify({ model: 'models:/sums/1' }));
  await waitFor(endpoint, { what: 'serving to know the version' });
  await waitFor(async () => (await fetch(`${url}/v2/models/sums/ready`)).ok, { what: 'the model to be ready' });
}

async function startPeer(modelFolder: string): Promise<Server | undefined> {
  const environment = await pythonForPeer();
  if (!environment) return undefined;
  const saved = spawnSync(environment.python, ['-c', SAVE_FOR_PEER, GRAPH, modelFolder], {
    stdio: ['ignore', 2, 'inherit'],
  });
  if (saved.status !== 0) throw new Error(`the model could not be saved for ${PEER}: exit ${saved.status}`);
  return startMlflow(environment, ['models', 'serve', '-m', modelFolder, '--env-manager', 'local'], '/ping');
}
