import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, pythonAvailable, pythonEnvironment, waitFor } from '@mledger/infra';
import { closedLoop, type LoadResult } from './closed-loop';
import { besides, cores, type Report, type Suite } from './measurement';

const ROOT = join(__dirname, '../../..');
/** The sum of each row, doubled: so small a graph that what is measured is the serving of it. */
const GRAPH = join(ROOT, 'apps/serving/test/fixtures/double.onnx');
const STANDALONE = join(ROOT, 'apps/standalone/dist/main.js');
/** MLflow's own server, of the same graph on the same runtime. */
const PEER = 'mlflow models serve';
const PEER_REQUIREMENTS = ['mlflow==3.17.2', 'onnx==1.23.2', 'onnxruntime==1.32.0', 'pandas==3.1.1'];
const SAVE_FOR_PEER = `
import sys, mlflow, numpy, onnx
from mlflow.models import infer_signature
rows = numpy.zeros((1, 2), dtype=numpy.float32)
mlflow.onnx.save_model(onnx.load(sys.argv[1]), sys.argv[2], signature=infer_signature(rows))
`;
const WARM_UP_SECONDS = 2;
const MEASURED_SECONDS = 8;
const LOADS = [
  { callers: 1, rows: 1 },
  { callers: 1, rows: 1_000 },
  { callers: 64, rows: 1 },
  { callers: 64, rows: 1_000 },
];

/** Something that answers MLflow's scoring protocol at an address. */
interface Scorer {
  readonly invocations: string;
  stop(): Promise<void>;
}

export const servingSuite: Suite = {
  name: 'serving',
  summary: 'predictions over HTTP by a standalone, each on record before it is answered, beside MLflow’s own server',
  async run(report) {
    const folder = mkdtempSync(join(tmpdir(), 'mledger-bench-'));
    try {
      const theirs = await measured(() => startPeer(join(folder, 'model')));
      const ours = await measured(() => startStandalone(join(folder, 'home')));
      for (const [index, load] of LOADS.entries()) reportLoad(load, ours![index]!, theirs?.[index], report);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function measured(start: () => Promise<Scorer | undefined>): Promise<LoadResult[] | undefined> {
  const scorer = await start();
  if (!scorer) return undefined;
  const results: LoadResult[] = [];
  try {
    for (const { callers, rows } of LOADS) {
      const score = scoring(scorer.invocations, rows);
      const [warmUpSeconds, seconds] = [WARM_UP_SECONDS, MEASURED_SECONDS];
      results.push(await closedLoop({ callers, warmUpSeconds, seconds, work: score }));
    }
  } finally {
    await scorer.stop();
  }
  return results;
}

function reportLoad(
  { callers, rows }: { callers: number; rows: number },
  ours: LoadResult,
  theirs: LoadResult | undefined,
  report: Report,
): void {
  const what = `predictions of ${rows.toLocaleString('en-US')} row${rows > 1 ? 's' : ''}, ${callers} caller${callers > 1 ? 's' : ''}`;
  const conditions = `JSON to /invocations, ${cores()} shared by server, Postgres and callers; the peer records nothing`;
  const value = ours.perSecond;
  report({ name: what, value, unit: 'requests/s', conditions, ...besides(PEER, value, theirs?.perSecond) });
  const { p50 } = ours.latencyMs;
  report({ name: `${what}, p50`, value: p50, unit: 'ms', conditions, ...besides(PEER, p50, theirs?.latencyMs.p50) });
}

/** Sends the same rows again and again over connections that stay. */
function scoring(url: string, rows: number): () => Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const body = JSON.stringify({ inputs: Array.from({ length: rows }, (_, row) => [row + 0.25, 0.5]) });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return () =>
    new Promise((resolve, reject) => {
      const sent = request(url, { method: 'POST', agent, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`${url} answered ${answer.statusCode}: ${Buffer.concat(chunks).toString()}`));
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
}

async function startStandalone(home: string): Promise<Scorer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = { ...process.env, MLEDGER_HOME: home, MLEDGER_PORT: String(port), LOG_LEVEL: 'error' };
  const server = started(process.execPath, [STANDALONE], env);
  await waitFor(async () => (await fetch(`${url}/health/ready`)).ok, {
    what: 'MLedger to be ready',
    timeoutMs: 60_000,
  });
  await deploy(url);
  return { invocations: `${url}/endpoints/sums/invocations`, stop: () => stopped(server) };
}

/** What a client of MLflow sends for `log_model` and `register_model`, then an endpoint of the version. */
async function deploy(url: string): Promise<void> {
  const mlflow = `${url}/api/2.0/mlflow`;
  const { experiment_id } = await json('POST', `${mlflow}/experiments/create`, { name: 'bench' });
  const { run } = await json('POST', `${mlflow}/runs/create`, { experiment_id, start_time: Date.now() });
  const { run_id } = run.info;
  const { model } = await json('POST', `${mlflow}/logged-models`, {
    experiment_id,
    name: 'sums',
    source_run_id: run_id,
  });
  const { model_id } = model.info;
  const file = `${url}/api/2.0/mlflow-artifacts/artifacts/${experiment_id}/models/${model_id}/artifacts/model.onnx`;
  await fetch(file, { method: 'PUT', body: readFileSync(GRAPH) });
  await json('PATCH', `${mlflow}/logged-models/${model_id}`, { model_id, status: 'LOGGED_MODEL_READY' });
  await json('POST', `${mlflow}/registered-models/create`, { name: 'sums' });
  await json('POST', `${mlflow}/model-versions/create`, { name: 'sums', source: `models:/${model_id}`, run_id });
  // Serving hears of the version by the registry's events.
  const endpoint = `${url}/api/mledger/v1/endpoints/sums`;
  await waitFor(() => json('PUT', endpoint, { model: 'models:/sums/1' }), { what: 'serving to know the version' });
  await waitFor(async () => (await fetch(`${url}/v2/models/sums/ready`)).ok, { what: 'the model to be ready' });
}

/** What is read of the answers; each has its own part of it. */
interface Answer {
  readonly experiment_id: string;
  readonly run: { readonly info: { readonly run_id: string } };
  readonly model: { readonly info: { readonly model_id: string } };
}

async function json(method: string, url: string, body: object): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${url} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

/** undefined where there is no Python: then MLedger's figures stand alone. */
async function startPeer(modelFolder: string): Promise<Scorer | undefined> {
  const availability = await pythonAvailable();
  if (!availability.available) {
    console.error(`${PEER} is not measured: ${availability.reason}`);
    return undefined;
  }
  const { python, bin } = await pythonEnvironment({
    name: 'bench',
    requirements: PEER_REQUIREMENTS,
    log: (line) => console.error(line),
  });
  const saving = started(python, ['-c', SAVE_FOR_PEER, GRAPH, modelFolder]);
  const code = await new Promise((resolve) => saving.once('exit', resolve));
  if (code !== 0) throw new Error(`the model could not be saved for ${PEER}: exit ${code}`);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const serve = ['-m', 'mlflow', 'models', 'serve', '-m', modelFolder, '-p', String(port), '--env-manager', 'local'];
  // It starts uvicorn by its name.
  const server = started(python, serve, { ...process.env, PATH: `${bin}:${process.env.PATH}` });
  await waitFor(async () => (await fetch(`${url}/ping`)).ok, { what: `${PEER} to be ready`, timeoutMs: 120_000 });
  return { invocations: `${url}/invocations`, stop: () => stopped(server) };
}

/** In a process group of its own, so that what it starts goes with it. Figures alone go to standard output. */
function started(command: string, args: string[], env = process.env): ChildProcess {
  return spawn(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'], detached: true });
}

async function stopped(server: ChildProcess): Promise<void> {
  const exited = new Promise((resolve) => server.once('exit', resolve));
  process.kill(-server.pid!, 'SIGTERM');
  await exited;
}
