import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, waitFor } from '@mledger/infra';

const root = join(__dirname, '../../..');
const READY_MS_MAX = 150_000;

/** A whole MLedger on a data folder of its own, in one of its run modes. */
export interface Platform {
  readonly url: string;
  /** Value of the Authorization header; none in open mode. */
  readonly authorization: string | undefined;
  /** `kill -9` of the process that holds this service; returns when another runs in its place, ready or not. */
  crash(service: string): Promise<void>;
  stop(): Promise<void>;
}

/** `npm run cluster`, with two replicas of each of these services. */
export async function startCluster(twice: readonly string[]): Promise<Platform> {
  const { home, environment } = await freshHome();
  const replicas = twice.map((service) => `${service}=2`).join(',');
  const cluster = new Running('tools/cluster.mjs', { ...environment, MLEDGER_REPLICAS: replicas, LOG_LEVEL: 'warn' });
  const url = await cluster.ready();
  const secretOf = (name: string) => readFileSync(join(home, name), 'utf8').trim();
  const pair = `${secretOf('access-key-id')}:${secretOf('secret-access-key')}`;
  return {
    url,
    authorization: `Basic ${Buffer.from(pair).toString('base64')}`,
    crash: async (service) => {
      const pidNow = () => Number(readFileSync(join(home, 'pids', service), 'utf8'));
      const killed = pidNow();
      process.kill(killed, 'SIGKILL');
      await waitFor(() => pidNow() !== killed, { what: `a new process of ${service}` });
    },
    stop: async () => {
      await cluster.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** What `npm start` runs: one process for every service, so that each crash is one of all. */
export async function startStandalone(): Promise<Platform> {
  const { home, environment } = await freshHome();
  const start = () => new Running('apps/standalone/dist/main.js', { ...environment, LOG_LEVEL: 'warn' });
  let standalone = start();
  return {
    url: await standalone.ready(),
    authorization: undefined,
    crash: async () => {
      await standalone.stop('SIGKILL');
      standalone = start();
      await standalone.ready();
    },
    stop: async () => {
      await standalone.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function freshHome() {
  const home = mkdtempSync(join(tmpdir(), 'mledger-conformance-'));
  return { home, environment: { MLEDGER_HOME: home, MLEDGER_PORT: String(await freePort()) } };
}

class Running {
  private output = '';
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor(main: string, environment: Record<string, string>) {
    this.child = spawn(process.execPath, [join(root, main)], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.ended = once(this.child, 'exit');
  }

  /** Its address, once it says that it is ready; an error with all it said when it ends before. */
  async ready(): Promise<string> {
    const isOver = () => this.child.exitCode !== null || this.child.signalCode !== null;
    const address = () => /MLedger is ready at (\S+)/.exec(this.output)?.[1];
    await waitFor(() => address() ?? isOver(), { what: 'MLedger to be ready', timeoutMs: READY_MS_MAX });
    const url = address();
    if (url === undefined) throw new Error(`it did not start:\n${this.output}`);
    return url;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.child.kill(signal);
    await this.ended;
  }
}
