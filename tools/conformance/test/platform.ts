import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, waitFor } from '@mledger/infra';
import { TestProcess } from '@mledger/service-kit/testing';

const root = join(__dirname, '../../..');
const READY = /MLedger is ready at (\S+)/;

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
  const cluster = TestProcess.spawn(join(root, 'tools/cluster.mjs'), {
    ...environment,
    MLEDGER_REPLICAS: replicas,
    LOG_LEVEL: 'warn',
  });
  const url = await cluster.says(READY);
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
  const main = join(root, 'apps/standalone/dist/main.js');
  const start = () => TestProcess.spawn(main, { ...environment, LOG_LEVEL: 'warn' });
  let standalone = start();
  return {
    url: await standalone.says(READY),
    authorization: undefined,
    crash: async () => {
      await standalone.stop('SIGKILL');
      standalone = start();
      await standalone.says(READY);
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
