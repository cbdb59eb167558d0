/** `npm run bench -- [suite…] [--json]`: builds what has changed, then measures. See tools/bench. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Standard output is for figures alone, so that `--json` can be piped. */
function run(command, args, stdout) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', stdout, 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
}

run('npx', ['nx', 'run-many', '-t', 'build', '-p', 'bench', 'standalone', '--output-style=static'], 2);
run(process.execPath, [join(root, 'tools/bench/dist/main.js'), ...process.argv.slice(2)], 'inherit');
