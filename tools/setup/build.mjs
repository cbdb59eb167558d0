import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
/** Its time is that of the last build that succeeded. */
const stamp = join(root, '.nx/built');

/**
 * Builds what has changed, through Nx, which takes seconds to find that nothing has; so the files' times are asked first, as make does.
 *
 * @throws {Error} with the build's whole output
 */
export function buildWhatChanged() {
  if (isBuilt()) return;
  console.log('Building what has changed…');
  const startedAt = new Date();
  const nx = spawnSync(
    process.execPath,
    [join(root, 'node_modules/nx/dist/bin/nx.js'), 'run-many', '-t', 'build', '--output-style=static'],
    { cwd: root, encoding: 'utf8', env: { ...process.env, NX_TUI: 'false' } },
  );
  if (nx.status !== 0) throw new Error(`${nx.stdout}${nx.stderr}\nThe build failed: nothing was started.`);
  writeFileSync(stamp, '');
  // Not the time of its end: what was saved meanwhile may not be in it.
  utimesSync(stamp, startedAt, startedAt);
}

function isBuilt() {
  if (!existsSync(stamp)) return false;
  const builtAtMs = statSync(stamp).mtimeMs;
  const projects = ['apps', 'libs', 'tools'].flatMap((folder) =>
    foldersIn(join(root, folder)).map((name) => join(root, folder, name)),
  );
  const sources = projects.map((project) => join(project, 'src')).filter(existsSync);
  const isOlder = (path) => statSync(path).mtimeMs < builtAtMs;
  return (
    projects.every((project) => project.startsWith(join(root, 'tools')) || existsSync(join(project, 'dist'))) &&
    [root, ...projects].every((folder) => filesIn(folder).every(isOlder)) &&
    // Folders too: one in which a file was deleted is newer.
    sources.every((folder) => [folder, ...everythingIn(folder)].every(isOlder))
  );
}

const foldersIn = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
const filesIn = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [join(folder, entry.name)] : []));
const everythingIn = (folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
