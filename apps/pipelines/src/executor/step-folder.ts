import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { killStrays } from './step-strays';

/** Containers may share a folder, but not the numbers of their processes; each has a host name of its own. */
const HERE = `mledger-step-${hostname()}-`;
/** A container's first process has the same number after each start. */
const STARTED_MS = Math.round(performance.timeOrigin);

/** A new folder for a step, whose name tells which process made it. */
export function makeStepFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), `${HERE}${process.pid}-${STARTED_MS}-`));
}

/**
 * Removes what services of this machine that are gone left behind: they were killed while a step ran. With them went the
 * step's process group, but not who had left it.
 */
export async function removeOrphanedStepFolders(): Promise<void> {
  const orphaned = (await readdir(tmpdir())).filter(isOrphaned).map((name) => join(tmpdir(), name));
  if (orphaned.length === 0) return;
  await killStrays(orphaned);
  await Promise.all(orphaned.map((path) => rm(path, { recursive: true, force: true })));
}

function isOrphaned(name: string): boolean {
  if (!name.startsWith(HERE)) return false;
  const [, pid, startedMs] = /^(\d+)-(\d+)-[^-]+$/.exec(name.slice(HERE.length))?.map(Number) ?? [];
  if (pid === undefined) return false;
  return pid === process.pid ? startedMs !== STARTED_MS : !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
