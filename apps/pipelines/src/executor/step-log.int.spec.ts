import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openObjectStore, type ObjectStore } from '@mledger/object-store';
import { StepLog } from './step-log';

let root: string;
let objects: ObjectStore;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'step-log-'));
  objects = await openObjectStore({ kind: 'disk', root, presignSecret: Buffer.alloc(32) });
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('a step’s log', () => {
  it('is stored when the object store is back', async () => {
    const log = new StepLog(join(root, 'log'));
    log.write(Buffer.from('kept'));
    await log.close();
    // A file where the store has a folder of its own.
    const place = join(root, 'objects/default');
    await writeFile(place, '');
    const store = () => log.store(objects, 'default/pipelines/r/00/b');
    await expect(store()).rejects.toThrow();
    await rm(place);
    expect(await store()).toMatchObject({ sizeBytes: 4, truncated: false });
  });

  it.each([
    ['for which the disk has no room', '/dev/full'],
    ['that cannot be made', '/dev/null/log'],
  ])('%s is none, and fails nothing', async (_case, path) => {
    const log = new StepLog(path);
    log.write(Buffer.from('lost'));
    await log.close();
    expect(await log.store(objects, 'default/pipelines/r/00/a')).toBeNull();
  });
});
