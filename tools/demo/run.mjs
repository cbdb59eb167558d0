/**
 * `npm run demo`: one model's whole life on real data. Against MLEDGER_URL (with MLEDGER_ACCESS_KEY_ID and
 * MLEDGER_SECRET_ACCESS_KEY where it wants keys), or else against a standalone of its own on fresh data.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import infra from '@mledger/infra';

const folder = dirname(fileURLToPath(import.meta.url));
const root = join(folder, '../..');

/** Starts a standalone that goes when the demo does, and gives its address. */
async function startStandalone() {
  const home = mkdtempSync(join(tmpdir(), 'mledger-demo-'));
  const port = await infra.freePort();
  const standalone = spawn(process.execPath, [join(root, 'tools/start.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, MLEDGER_HOME: home, MLEDGER_PORT: String(port), LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn' },
  });
  const exited = new Promise((done) => standalone.once('exit', done));
  const url = await new Promise((done, fail) => {
    void exited.then((code) => fail(new Error(`MLedger did not start (exit ${code})`)));
    createInterface({ input: standalone.stdout }).on('line', (line) => {
      console.log(line);
      const ready = /^MLedger is ready at (\S+)/.exec(line);
      if (ready) done(ready[1]);
    });
  });
  return {
    url,
    stop: async () => {
      standalone.kill('SIGTERM');
      await exited;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

const python = await infra.pythonAvailable();
if (!python.available) {
  console.error(`The demo needs Python: ${python.reason}`);
  process.exit(1);
}
const requirements = readFileSync(join(folder, 'requirements.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const environment = await infra.pythonEnvironment({ name: 'demo', requirements, log: console.log });
const server = process.env.MLEDGER_URL
  ? { url: process.env.MLEDGER_URL, stop: async () => undefined }
  : await startStandalone();
const demo = spawnSync(environment.python, [join(folder, 'python/demo.py'), ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, MLEDGER_URL: server.url },
});
await server.stop();
process.exit(demo.status ?? 1);
