import { randomUUID } from 'node:crypto';
import { constants, createReadStream, promises as fs, type BigIntStats } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { DigestMeter } from './digests';
import { listFiles } from './list-files';
import { assertKeyPrefix, assertObjectKey } from './object-key';
import {
  LIST_LIMIT_MAX,
  ObjectStoreError,
  objectExists,
  objectNotFound,
  resolveRange,
  type ByteRange,
  type ListOptions,
  type ObjectBody,
  type ObjectHead,
  type ObjectPage,
  type ObjectStore,
  type PresignOptions,
  type PutOptions,
  type StoredObject,
} from './object-store';
import { presignUrl } from './presign';

const WRITE_BATCH_BYTES = 256 * 1024;
const PRESIGN_SECRET_BYTES_MIN = 32;
const STALE_TEMPORARY_MS = 24 * 60 * 60 * 1000;

export interface DiskObjectStoreOptions {
  /** Made when missing; objects lie below `<root>/objects`. */
  readonly root: string;
  /** At least 32 bytes; signs the URLs of {@link ObjectStore.presignGet}. Whoever serves them needs the same one. */
  readonly presignSecret: Buffer;
}

/**
 * Objects as files of a folder. A body goes to a temporary file, is synced, and then takes its name in one step, so a
 * crash leaves the whole object or none. No path below the root may lead through a symbolic link.
 */
export class DiskObjectStore implements ObjectStore {
  private constructor(
    private readonly objectsFolder: string,
    private readonly temporaryFolder: string,
    private readonly presignSecret: Buffer,
  ) {}

  /** Makes the folders, and removes temporary files that a crash left behind a day ago or earlier. */
  static async open({ root, presignSecret }: DiskObjectStoreOptions): Promise<DiskObjectStore> {
    if (presignSecret.length < PRESIGN_SECRET_BYTES_MIN) {
      throw new RangeError(
        `the secret that signs URLs has ${presignSecret.length} bytes, under ${PRESIGN_SECRET_BYTES_MIN}`,
      );
    }
    await fs.mkdir(root, { recursive: true });
    const realRoot = await fs.realpath(root);
    const objectsFolder = path.join(realRoot, 'objects');
    const temporaryFolder = path.join(realRoot, 'temporary');
    for (const folder of [objectsFolder, temporaryFolder]) await fs.mkdir(folder, { recursive: true });
    await removeStale(temporaryFolder);
    return new DiskObjectStore(objectsFolder, temporaryFolder, presignSecret);
  }

  async put(key: string, body: Readable | Buffer, options: PutOptions = {}): Promise<StoredObject> {
    const file = await this.fileForWriting(key);
    const temporary = path.join(this.temporaryFolder, randomUUID());
    try {
      const stored = await writeSynced(temporary, body);
      await this.takeName(temporary, { file, key, ifNoneMatch: options.ifNoneMatch });
      return stored;
    } catch (error) {
      await fs.rm(temporary, { force: true });
      throw error;
    }
  }

  async get(key: string, range?: ByteRange): Promise<ObjectBody> {
    const file = await this.existingFile(key);
    const handle = await openNoFollow(key, file);
    try {
      const stats = await handle.stat({ bigint: true });
      const head = headOf(key, stats);
      const { offset, length } = range
        ? resolveRange(key, head.sizeBytes, range)
        : { offset: 0, length: head.sizeBytes };
      // An end of -1, for an empty object, would be refused; such a stream ends at once by itself.
      const end = length === 0 ? undefined : offset + length - 1;
      const body = createReadStream(file, { fd: handle, start: offset, end, highWaterMark: WRITE_BATCH_BYTES });
      return { ...head, body, bodyBytes: length };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async head(key: string): Promise<ObjectHead> {
    const file = await this.existingFile(key);
    return headOf(key, await statFile(key, file));
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ObjectPage> {
    assertKeyPrefix(prefix);
    const limit = Math.min(options.limit ?? LIST_LIMIT_MAX, LIST_LIMIT_MAX);
    const objects: ObjectHead[] = [];
    for await (const key of listFiles(this.objectsFolder, { prefix, after: options.after ?? '' })) {
      if (objects.length === limit) return { objects, hasMore: true };
      const stats = await fs.stat(path.join(this.objectsFolder, key), { bigint: true }).catch(ignoreMissing);
      if (stats) objects.push(headOf(key, stats));
    }
    return { objects, hasMore: false };
  }

  async delete(key: string): Promise<void> {
    const file = await this.existingFile(key).catch(ignoreNotFound);
    if (file === undefined) return;
    await fs.rm(file, { force: true });
    await syncFolder(path.dirname(file));
  }

  async copy({ from, to }: { from: string; to: string }): Promise<ObjectHead> {
    assertObjectKey(to);
    const source = await this.existingFile(from);
    await statFile(from, source);
    const file = await this.fileForWriting(to);
    const temporary = path.join(this.temporaryFolder, randomUUID());
    try {
      // Shares the blocks where the file system can; the store never changes a file in place.
      await fs.copyFile(source, temporary, constants.COPYFILE_FICLONE).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'ENOENT' ? objectNotFound(from) : error;
      });
      await syncFile(temporary);
      await this.takeName(temporary, { file, key: to });
      return headOf(to, await statFile(to, file));
    } catch (error) {
      await fs.rm(temporary, { force: true });
      throw error;
    }
  }

  async presignGet(key: string, options: PresignOptions): Promise<string> {
    assertObjectKey(key);
    return presignUrl(this.presignSecret, { ...options, key, method: 'GET' });
  }

  async presignPut(key: string, options: PresignOptions): Promise<string> {
    assertObjectKey(key);
    return presignUrl(this.presignSecret, { ...options, key, method: 'PUT' });
  }

  private async takeName(
    temporary: string,
    target: { file: string; key: string; ifNoneMatch?: '*' | undefined },
  ): Promise<void> {
    if (target.ifNoneMatch) {
      // A link, unlike a rename, refuses a name that is taken.
      await fs.link(temporary, target.file).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'EEXIST' ? objectExists(target.key) : error;
      });
      await fs.rm(temporary);
    } else {
      await fs.rename(temporary, target.file);
    }
    await syncFolder(path.dirname(target.file));
  }

  /** @throws `not-found` when its folder does not exist, `invalid-key` when the way there leads through a link */
  private async existingFile(key: string): Promise<string> {
    assertObjectKey(key);
    const file = path.join(this.objectsFolder, key);
    if (!(await isPlainFolder(key, path.dirname(file)))) throw objectNotFound(key);
    return file;
  }

  private async fileForWriting(key: string): Promise<string> {
    assertObjectKey(key);
    const file = path.join(this.objectsFolder, key);
    const folder = path.dirname(file);
    if (await isPlainFolder(key, folder)) return file;
    // Up to the folder that exists, which is held to be plain before anything is made in it.
    let existing = path.dirname(folder);
    while (!(await isPlainFolder(key, existing))) existing = path.dirname(existing);
    await fs.mkdir(folder, { recursive: true });
    for (let made = folder; made !== existing; made = path.dirname(made)) await syncFolder(path.dirname(made));
    return file;
  }
}

/** Whether the folder exists. @throws `invalid-key` when the way there leads through a link */
async function isPlainFolder(key: string, folder: string): Promise<boolean> {
  const realFolder = await fs.realpath(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
  });
  if (realFolder === undefined) return false;
  if (realFolder !== folder) throw new ObjectStoreError('invalid-key', key, `the way to ${key} leads through a link`);
  return true;
}

async function writeSynced(file: string, body: Readable | Buffer): Promise<StoredObject> {
  const meter = new DigestMeter();
  const handle = await fs.open(file, 'wx', 0o600);
  try {
    if (Buffer.isBuffer(body)) {
      meter.update(body);
      await handle.writeFile(body);
    } else {
      let batch: Buffer[] = [];
      let batchBytes = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        meter.update(chunk);
        batch.push(chunk);
        batchBytes += chunk.length;
        if (batchBytes < WRITE_BATCH_BYTES) continue;
        await writeAll(handle, batch);
        batch = [];
        batchBytes = 0;
      }
      await writeAll(handle, batch);
    }
    await handle.sync();
    return { ...meter.digests(), etag: etagOf(await handle.stat({ bigint: true })) };
  } finally {
    await handle.close();
  }
}

/** writev may write less than it was given; the rest is written until nothing is left. */
async function writeAll(handle: fs.FileHandle, chunks: readonly Buffer[]): Promise<void> {
  const totalBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (totalBytes === 0) return;
  const { bytesWritten } = await handle.writev(chunks);
  if (bytesWritten < totalBytes) await handle.appendFile(Buffer.concat(chunks).subarray(bytesWritten));
}

async function openNoFollow(key: string, file: string): Promise<fs.FileHandle> {
  return fs.open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'EISDIR') throw objectNotFound(key);
    if (error.code === 'ELOOP') throw new ObjectStoreError('invalid-key', key, `${key} is a link`);
    throw error;
  });
}

async function statFile(key: string, file: string): Promise<BigIntStats> {
  const stats = await fs.lstat(file, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? objectNotFound(key) : error;
  });
  if (!stats.isFile()) throw objectNotFound(key);
  return stats;
}

function headOf(key: string, stats: BigIntStats): ObjectHead {
  return { key, sizeBytes: Number(stats.size), etag: etagOf(stats), modifiedAt: stats.mtime.toISOString() };
}

/** A file is never changed in place, so its time and size name its content. */
function etagOf(stats: BigIntStats): string {
  return `${stats.mtimeNs.toString(16)}-${stats.size.toString(16)}`;
}

async function syncFile(file: string): Promise<void> {
  const handle = await fs.open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A new name is durable only when its folder is. */
const syncFolder = syncFile;

async function removeStale(temporaryFolder: string): Promise<void> {
  for (const name of await fs.readdir(temporaryFolder)) {
    const file = path.join(temporaryFolder, name);
    const stats = await fs.stat(file).catch(ignoreMissing);
    if (stats && Date.now() - stats.mtimeMs > STALE_TEMPORARY_MS) await fs.rm(file, { force: true });
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function ignoreNotFound(error: unknown): undefined {
  if (!(error instanceof ObjectStoreError) || error.code !== 'not-found') throw error;
}
