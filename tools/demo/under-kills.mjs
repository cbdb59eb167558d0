/**
 * `npm run demo:under-kills`: the demo against a cluster of its own, while one service process after another is ended by `kill -9`,
 * in an order drawn anew each time. It has to end as if nothing had happened. With MLEDGER_KEEP=1 the cluster's logs stay.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import infra from '@mledger/infra';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
/** A process is back after some seconds, and its partitions after a session of ten. */
const KILL_EVERY_MS = 22_000;
const REPLICAS = 'serving=2,registry=2,experiments=2';
/** There is one of it here, and it keeps nothing: clients would see their connection break. */
const SPARED = 'gateway';

const home = mkdtempSync(join(tmpdir(), 'mledger-under-kills-'));
const environment = {
  ...process.env,
  MLEDGER_REPLICAS: process.env.MLEDGER_REPLICAS ?? REPLICAS,
  MLEDGER_HOME: home,
  MLEDGER_PORT: String(await infra.freePort()),
};
const text = (...path) => readFileSync(join(home, ...path), 'utf8').trim();

/** Starts the cluster, and returns its address when every service is ready. */
async function ready(cluster) {
  for await (const line of createInterface({ input: cluster.stdout })) {
    console.log(line);
    const address = /^MLedger is ready at (\S+)/.exec(line);
    if (address) return address[1];
  }
  throw new Error('the cluster did not start');
}

function shuffled(names) {
  return names
    .map((name) => ({ name, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ name }) => name);
}

async function killInTurn(signal) {
  for (;;) {
    for (const name of shuffled(readdirSync(join(home, 'pids')).filter((service) => service !== SPARED))) {
      await delay(KILL_EVERY_MS, undefined, { signal });
      kill(name);
    }
  }
}

function kill(name) {
  console.log(`   kill -9 ${name}`);
  try {
    process.kill(Number(text('pids', name)), 'SIGKILL');
  } catch (error) {
    // It fell by itself and is being brought back.
    if (error.code !== 'ESRCH') throw error;
  }
}

/** The exit code of the demo, against a cluster that loses one process after another. */
async function demoUnderKills(url) {
  const keys = {
    MLEDGER_ACCESS_KEY_ID: text('access-key-id'),
    MLEDGER_SECRET_ACCESS_KEY: text('secret-access-key'),
  };
  const demo = spawn(process.execPath, [join(root, 'tools/demo/run.mjs')], {
    stdio: 'inherit',
    env: { ...process.env, ...keys, MLEDGER_URL: url },
  });
  const over = new AbortController();
  const ended = once(demo, 'exit').finally(() => over.abort());
  const killed = killInTurn(over.signal).catch((error) => {
    if (over.signal.aborted) return;
    demo.kill('SIGTERM');
    throw error;
  });
  const [[code]] = await Promise.all([ended, killed]);
  return code ?? 1;
}

const cluster = spawn(process.execPath, [join(root, 'tools/cluster.mjs')], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: environment,
});
try {
  const url = await ready(cluster);
  cluster.stdout.pipe(process.stdout);
  process.exitCode = await demoUnderKills(url);
} finally {
  if (cluster.exitCode === null && cluster.signalCode === null) {
    cluster.kill('SIGTERM');
    await once(cluster, 'exit');
  }
  if (process.env.MLEDGER_KEEP) console.log(`Its logs are in ${home}/logs`);
  else rmSync(home, { recursive: true, force: true });
}
