const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { Client } = require('pg');
const { waitFor } = require('../index.cjs');
const { newFolder, untilGone } = require('./processes.cjs');

describe('up', () => {
  it('prints the variables that lead to the servers, and stops these when asked to', async () => {
    const folder = newFolder();
    const command = spawn(
      process.execPath,
      [path.join(__dirname, '..', 'cli.mjs'), 'up', 'postgres', '--data', folder],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const exited = once(command, 'exit');
    let [printed, said] = ['', ''];
    command.stdout.on('data', (chunk) => (printed += chunk));
    command.stderr.on('data', (chunk) => (said += chunk));
    await waitFor(() => said.includes('Ready'), { what: 'the servers to be ready', timeoutMs: 60_000 });

    const url = /^export DATABASE_URL='(.+)'$/m.exec(printed)[1];
    const client = new Client({ connectionString: url });
    await client.connect();
    client.on('error', () => undefined);
    const pidFile = path.join(folder, 'postgres', 'cluster', 'postmaster.pid');
    const pid = Number(fs.readFileSync(pidFile, 'utf8').split('\n')[0]);
    command.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    await untilGone(pid);
    await client.end();
    fs.rmSync(folder, { recursive: true, force: true });
  });
});
