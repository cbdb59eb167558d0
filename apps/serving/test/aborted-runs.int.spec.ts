import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunAborted } from '../src/inference/inference-worker';
import { ModelUnusable, SessionPool } from '../src/inference/session-pool';
import type { Tensor } from '../src/inference/tensor';
import type { WorkerRequest } from '../src/inference/worker-messages';
import { graphThatMayNotEnd } from './onnx-graph';

const PROCESS_FILE = require.resolve('@mledger/serving/onnx-process');
const DOUBLE = readFileSync(join(__dirname, 'fixtures/double.onnx'));
const ENDING = matrixOf([0, 1]);
const ENDLESS = matrixOf([1, 1]);

function matrixOf(values: number[]): Tensor {
  return { name: 'input', datatype: 'FP32', shape: [1, 2], data: Float32Array.from(values) };
}

let pool: SessionPool;
beforeAll(async () => {
  pool = new SessionPool(PROCESS_FILE, 2, 2_000);
  await pool.load('double', DOUBLE);
  await pool.load('looping', graphThatMayNotEnd());
});
afterAll(() => pool.close());

const valuesOf = async (outputs: Promise<Tensor[]>) => [...((await outputs)[0]!.data as Float32Array)];
const runTimes = (count: number, name: string, input: Tensor) =>
  Array.from({ length: count }, () => pool.run(name, [input], ['score']));

it('holds its own worker with a run that does not end, and nobody else’s request', async () => {
  const ended: string[] = [];
  const endless = pool.run('looping', [ENDLESS], ['score']).catch(() => ended.push('endless'));
  await Promise.all(runTimes(20, 'double', ENDING));
  ended.push('others');
  await endless;
  expect(ended).toEqual(['others', 'endless']);
});

it('gives runs that wait behind one that does not end to another worker', async () => {
  // From now on it is taken for quick, and several runs of it go to a worker at once.
  await Promise.all(runTimes(4, 'looping', ENDING));
  const ended: string[] = [];
  const endless = pool.run('looping', [ENDLESS], ['score']).catch(() => ended.push('endless'));
  await Promise.all(runTimes(12, 'looping', ENDING));
  ended.push('others');
  await endless;
  expect(ended).toEqual(['others', 'endless']);
});

it('ends runs that do not end by themselves, and answers the requests that waited behind them', async () => {
  const endless = runTimes(2, 'looping', ENDLESS);
  const aborted = endless.map((run) =>
    expect(run).rejects.toThrow(new RunAborted('too-long', 'the model did not end within 2 s')),
  );
  const behind = [...runTimes(1, 'double', ENDING), ...runTimes(1, 'looping', ENDING)];
  await Promise.all(aborted);
  expect(await Promise.all(behind.map(valuesOf))).toEqual([[2], [0, 1]]);
});

it('forgets a model when those who asked for it before are answered', async () => {
  const runs = runTimes(20, 'double', ENDING);
  await pool.unload('double');
  expect(await Promise.all(runs.map(valuesOf))).toEqual(Array(20).fill([2]));
  await expect(pool.run('double', [ENDING], ['score'])).rejects.toThrow(ModelUnusable);
});

it('loads a model behind a run that does not end', async () => {
  const endless = pool.run('looping', [ENDLESS], ['score']);
  const aborted = expect(endless).rejects.toThrow(RunAborted);
  const loaded = pool.load('triple', readFileSync(join(__dirname, 'fixtures/triple.onnx')));
  await aborted;
  expect((await loaded).outputs.map(({ name }) => name)).toContain('score');
  expect(await valuesOf(pool.run('triple', [ENDLESS], ['score']))).toEqual([6]);
});

it('lets thousands of runs pass by one that does not end', async () => {
  const other = new SessionPool(PROCESS_FILE, 2);
  await other.load('looping', graphThatMayNotEnd());
  const runOne = (input: Tensor) => other.run('looping', [input], ['score']);
  await Promise.all([1, 2, 3, 4].map(() => runOne(ENDING)));
  let isOver = false;
  const endless = runOne(ENDLESS).catch(() => (isOver = true));
  const done = Array.from({ length: 16 }, () => 0);
  const oneByOne = async (lane: number) => {
    while (done[lane]! < 400) {
      await runOne(ENDING);
      done[lane]! += 1;
    }
  };
  const lanes = done.map((_, lane) => oneByOne(lane));
  await Promise.race(lanes);
  // None of them comes back to the worker that is held, again and again.
  expect(Math.min(...done)).toBeGreaterThan(100);
  await Promise.all(lanes);
  expect(isOver).toBe(false);
  await other.close();
  await endless;
}, 50_000);

it('closes while a run does not end', async () => {
  const other = new SessionPool(PROCESS_FILE, 1);
  await other.load('looping', graphThatMayNotEnd());
  const endless = other.run('looping', [ENDLESS], ['score']);
  const loading = other.load('double', DOUBLE);
  const refused = [endless, loading].map((aborted) => expect(aborted).rejects.toThrow(RunAborted));
  await other.close();
  await Promise.all(refused);
});

it('ends with a service that was killed while a run did not end', async () => {
  const child = fork(PROCESS_FILE, { serialization: 'advanced', execArgv: [] });
  const send = (request: WorkerRequest) => child.send(request);
  const endless = { name: 'input', onnxType: 'float32', shape: [1, 2], data: ENDLESS.data };
  send({ id: 1, kind: 'load', sha256: 'looping', bytes: graphThatMayNotEnd() });
  await once(child, 'message');
  send({ id: 2, kind: 'run', sha256: 'looping', inputs: [endless], outputs: ['score'] });
  // What a killed service leaves of the connection.
  child.disconnect();
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
});
