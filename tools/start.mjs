/**
 * `npm start`: builds what changed (cached), then runs every service in one process until it is interrupted.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildWhatChanged } from './setup/build.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

try {
  buildWhatChanged();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}

const mledger = spawn(process.execPath, ['--enable-source-maps', join(root, 'apps/standalone/dist/main.js')], {
  stdio: 'inherit',
});
// The terminal sends Ctrl-C to both; this one waits for the other to end in order.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => mledger.kill('SIGTERM'));
mledger.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 1)));
