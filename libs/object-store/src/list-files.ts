import { promises as fs, type Dirent } from 'node:fs';
import path from 'node:path';

interface ListBounds {
  readonly prefix: string;
  /** Exclusive; the empty text is before every key. */
  readonly after: string;
}

/**
 * The keys of the regular files below a folder, in the order of their bytes, without reading folders that hold none
 * between the bounds. Keys are ASCII, so the order of characters is that of bytes. Links are passed over.
 */
export async function* listFiles(root: string, bounds: ListBounds): AsyncGenerator<string> {
  yield* listFolder({ root, folder: '' }, bounds);
}

async function* listFolder(at: { root: string; folder: string }, bounds: ListBounds): AsyncGenerator<string> {
  const entries = await fs.readdir(path.join(at.root, at.folder), { withFileTypes: true }).catch(ignoreMissing);
  // A folder sorts as its name with a slash: `a-b` comes before what is in `a`, since `-` is below `/`.
  const sorted = entries
    .filter((entry) => entry.isDirectory() || entry.isFile())
    .map((entry) => ({ entry, key: `${at.folder}${entry.name}${entry.isDirectory() ? '/' : ''}` }))
    .sort((left, right) => (left.key < right.key ? -1 : 1));
  for (const { entry, key } of sorted) {
    if (entry.isDirectory()) {
      const isBeside = !key.startsWith(bounds.prefix) && !bounds.prefix.startsWith(key);
      const isBefore = key < bounds.after && !bounds.after.startsWith(key);
      if (!isBeside && !isBefore) yield* listFolder({ root: at.root, folder: key }, bounds);
    } else if (key.startsWith(bounds.prefix) && key > bounds.after) {
      yield key;
    }
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): Dirent[] {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
  throw error;
}
