import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const GIGABYTE = 1e9;
const DISK_BYTES = Number(process.env.MLEDGER_TEST_DISK_BYTES ?? 2 * GIGABYTE);
const S3_BYTES = Number(process.env.MLEDGER_TEST_S3_BYTES ?? GIGABYTE / 4);
const RISE_MIB_MAX = 50;
const { MLEDGER_TEST_S3_ENDPOINT: endpoint } = process.env;

async function passThrough(store: object, bytes: number): Promise<{ risenMiB: number }> {
  const child = path.join(__dirname, 'flat-memory.child.cjs');
  const env = { ...process.env, STORE: JSON.stringify(store), BYTES: String(bytes) };
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', child], { env });
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ sizeBytes: bytes, readBytes: bytes });
  return result;
}

describe('memory stays flat', () => {
  it('while 2 GB pass through a folder', async () => {
    const root = mkdtempSync(path.join(tmpdir(), 'object-store-flat-'));
    const { risenMiB } = await passThrough({ kind: 'disk', root }, DISK_BYTES);
    rmSync(root, { recursive: true });
    expect(risenMiB).toBeLessThan(RISE_MIB_MAX);
  }, 120_000);

  (endpoint === undefined ? it.skip : it)(
    'while a quarter of a GB passes through S3',
    async () => {
      const credentials = {
        accessKeyId: process.env.MLEDGER_TEST_S3_ACCESS_KEY_ID,
        secretAccessKey: process.env.MLEDGER_TEST_S3_SECRET_ACCESS_KEY,
      };
      const store = { kind: 's3', bucket: `flat-${randomUUID()}`, endpoint, credentials };
      expect((await passThrough(store, S3_BYTES)).risenMiB).toBeLessThan(RISE_MIB_MAX);
    },
    120_000,
  );
});
