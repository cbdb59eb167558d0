/**
 * Makes node_modules match the lock before a command that needs them; Node built-ins only, since nothing else is there yet.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_VERSION_MIN = [20, 19];
const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const stampFile = join(root, 'node_modules/.mledger-lock-sha256');

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < NODE_VERSION_MIN[0] || (major === NODE_VERSION_MIN[0] && minor < NODE_VERSION_MIN[1])) {
  console.error(`MLedger needs Node ${NODE_VERSION_MIN.join('.')} or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

const lockSha256 = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const stamp = `${lockSha256} ${process.platform}-${process.arch} node${major}\n`;
if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
  console.log('Installing the dependencies that package-lock.json names (once; a minute or two)…');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    console.error('npm ci failed: the lines above say why. Nothing was started.');
    process.exit(npm.status ?? 1);
  }
  writeFileSync(stampFile, stamp);
}
