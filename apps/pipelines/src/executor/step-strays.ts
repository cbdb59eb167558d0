import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Looks at most: more are needed only for a step that goes on starting processes faster than they are found. */
const LOOKS_MAX = 100;
/** A machine may have more processes than this one may open files. */
const FILES_OPEN_MAX = 16;

/**
 * Kills what steps have started that left their process groups, as daemons do by setsid, and would outlive them. They are
 * known by the variable of their environment that names a file in their step's folder. Linux alone shows it, and a program that
 * was given an environment of its own is not found.
 */
export async function killStrays(folders: readonly string[]): Promise<void> {
  const marks = folders.map((folder) => `MLEDGER_OUTPUTS_FILE=${folder}/`);
  const killed = new Set<number>();
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const found = (await processesWith(marks)).filter((pid) => !killed.has(pid));
    // One may have started another while it was looked for, so a look that finds none is the last.
    if (found.length === 0) return;
    for (const pid of found) {
      kill(pid);
      killed.add(pid);
    }
  }
}

async function processesWith(marks: readonly string[]): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).map(Number).filter(Number.isInteger).values();
  const found: number[] = [];
  const look = async () => {
    for (const pid of pids) {
      // Gone meanwhile, or somebody else's.
      const environment = await readFile(join('/proc', String(pid), 'environ')).catch(() => Buffer.alloc(0));
      if (marks.some((mark) => environment.includes(mark))) found.push(pid);
    }
  };
  await Promise.all(Array.from({ length: FILES_OPEN_MAX }, look));
  return found;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
