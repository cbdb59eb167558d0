import { mkdtemp, rm } from 'node:fs/promises';
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
  it.each([
    ['for which the disk has no room', '/dev/full'],
    ['that cannot be made', '/dev/null/log'],
  ])('%s is none, and fails nothing', async (_case, path) => {
    const log = new StepLog(path);
    log.write(Buffer.from('lost'));
    expect(await log.store(objects, 'default/pipelines/r/00/a')).toBeNull();
  });
});
