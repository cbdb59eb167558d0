const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawn, execFileSync } = require('node:child_process');
const { once } = require('node:events');
const { createInterface } = require('node:readline');
const { waitFor } = require('../index.cjs');

/** A new folder in the temp folder, one that Postgres' account may enter too. */
function newFolder() {
  const folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'mledger-infra-'));
  fs.chmodSync(folder, 0o755);
  return folder;
}

/** A Node process in the plainest locale that starts the server in `dataFolder` and holds it; killed with `kill -9` by `die`. */
function holdInProcess(kind, dataFolder) {
  const child = spawn(process.execPath, [path.join(__dirname, 'hold.cjs'), kind, dataFolder], {
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  return {
    pid: child.pid,
    started: async () => {
      const ended = exited.then(([code, signal]) => {
        throw new Error(`the holder of ${kind} ended (${signal ?? code}) before it started`);
      });
      const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
      return JSON.parse(line);
    },
    die: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function isRunning(pid) {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false;
  }
}

function untilGone(pid) {
  return waitFor(() => !isRunning(pid), { what: `process ${pid} to end`, timeoutMs: 30_000 });
}

/** The shell that stops a server when we die; killed here to see what happens without it. */
function killGuardOf(pid) {
  const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=', '-o', 'args='], { encoding: 'utf8' }).split('\n');
  const guard = lines.find((line) => line.includes('mledger-guard') && line.trimEnd().endsWith(` ${pid}`));
  process.kill(Number(guard.trim().split(/\s+/)[0]), 'SIGKILL');
}

module.exports = { newFolder, holdInProcess, isRunning, untilGone, killGuardOf };
