/**
 * `npm start`: builds what changed (cached), then runs every service in one process until it is interrupted.
 */
import { spawn, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

console.log('Building what has changed…');
const build = spawnSync(
  process.execPath,
  [join(root, 'node_modules/nx/dist/bin/nx.js'), 'run-many', '-t', 'build', '--output-style=static'],
  { cwd: root, encoding: 'utf8', env: { ...process.env, NX_TUI: 'false' } },
);
if (build.status !== 0) {
  process.stderr.write(`${build.stdout}${build.stderr}\nThe build failed: nothing was started.\n`);
  process.exit(build.status ?? 1);
}

const mledger = spawn(process.execPath, ['--enable-source-maps', join(root, 'apps/standalone/dist/main.js')], {
  stdio: 'inherit',
});
// The terminal sends Ctrl-C to both; this one waits for the other to end in order.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => mledger.kill('SIGTERM'));
mledger.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 1)));
