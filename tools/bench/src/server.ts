import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort, pythonAvailable, pythonEnvironment, waitFor, type PythonEnvironment } from '@mledger/infra';

export const ROOT = join(__dirname, '../../..');
const STANDALONE = join(ROOT, 'apps/standalone/dist/main.js');
const START_MS_MAX = 120_000;
/** MLflow whole, with what its own servers need. */
const PYTHON_REQUIREMENTS = [
  'mlflow==3.17.2',
  'onnx==1.23.2',
  'onnxruntime==1.32.0',
  'pandas==3.1.1',
  'psycopg2-binary==2.9.13',
];

/** A server that is measured, in a process of its own. */
export interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

export function startStandalone(home: string): Promise<Server> {
  return startServer(
    'MLedger',
    (port) => ({
      command: [process.execPath, STANDALONE],
      env: { MLEDGER_HOME: home, MLEDGER_PORT: port, LOG_LEVEL: 'error' },
    }),
    '/health/ready',
  );
}

/** undefined where there is no Python: then MLedger's figures stand alone. */
export async function pythonForPeer(): Promise<PythonEnvironment | undefined> {
  const availability = await pythonAvailable();
  if (!availability.available) {
    console.error(`MLflow is not measured beside it: ${availability.reason}`);
    return undefined;
  }
  const log = (line: string) => console.error(line);
  return pythonEnvironment({ name: 'bench', requirements: PYTHON_REQUIREMENTS, log });
}

/** One of MLflow's own servers; `args` as after `mlflow` on a command line. */
export function startMlflow(
  { python, bin }: PythonEnvironment,
  args: readonly string[],
  readyPath: string,
): Promise<Server> {
  return startServer(
    `mlflow ${args[0]}`,
    (port) => ({
      command: [python, '-m', 'mlflow', ...args, '--port', port],
      // It starts uvicorn by its name.
      env: { PATH: `${bin}:${process.env.PATH}` },
    }),
    readyPath,
  );
}

async function startServer(
  what: string,
  startOf: (port: string) => { command: readonly string[]; env: Record<string, string> },
  readyPath: string,
): Promise<Server> {
  const port = await freePort();
  const { command, env } = startOf(String(port));
  // In a process group of its own, so that what it starts goes with it. Standard output is for figures alone.
  const child = spawn(command[0]!, command.slice(1), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
  const stop = () => process.kill(-child.pid!, 'SIGTERM');
  // However a measurement ends, nothing of it goes on.
  child.unref();
  process.once('exit', stop);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ended = exited.then(() => {
    throw new Error(`${what} ended before it was ready`);
  });
  ended.catch(() => undefined);
  const url = `http://127.0.0.1:${port}`;
  const ready = async () => (await fetch(`${url}${readyPath}`)).ok;
  await Promise.race([ended, waitFor(ready, { what: `${what} to be ready`, timeoutMs: START_MS_MAX })]);
  return {
    url,
    stop: async () => {
      process.removeListener('exit', stop);
      // Its end is waited for, which nothing else may keep this process alive for.
      child.ref();
      stop();
      await exited;
    },
  };
}
