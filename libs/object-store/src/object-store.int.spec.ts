import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { HOSTILE_KEYS } from '../test/hostile-keys';
import { openObjectStore, S3ObjectStore, verifyPresigned, type ObjectStore } from './index';

const digest = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest('hex');
const newKey = (name: string = randomUUID()) => `acme/test/${SUITE}/${name}`;
const SUITE = randomUUID();

/** What every store must do; run on a folder and on a real S3 server. */
function storeContract(store: () => ObjectStore) {
  it('gives back what was put, with its size and digests', async () => {
    const bytes = randomBytes(100_000);
    const key = newKey();
    const stored = await store().put(key, bytes);
    expect(stored).toMatchObject({ sizeBytes: 100_000, md5: digest('md5', bytes), sha256: digest('sha256', bytes) });
    const read = await store().get(key);
    expect((await buffer(read.body)).equals(bytes)).toBe(true);
    expect(read).toMatchObject({ key, sizeBytes: 100_000, bodyBytes: 100_000, etag: stored.etag });
    const { body: _, bodyBytes: __, ...head } = read;
    expect(await store().head(key)).toEqual(head);
    expect(head.modifiedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('takes a stream above the size of a part, in chunks of any size', async () => {
    const bytes = randomBytes(20 * 1024 * 1024 + 17);
    const chunks = (function* () {
      for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 3) % 1_000_003) {
        yield bytes.subarray(at, at + size);
      }
    })();
    const key = newKey();
    const stored = await store().put(key, Readable.from(chunks, { objectMode: false }));
    expect(stored).toMatchObject({
      sizeBytes: bytes.length,
      md5: digest('md5', bytes),
      sha256: digest('sha256', bytes),
    });
    expect(digest('sha256', await buffer((await store().get(key)).body))).toBe(stored.sha256);
  });

  it('keeps an empty object, put whole or as a stream', async () => {
    for (const body of [Buffer.alloc(0), Readable.from([])]) {
      const key = newKey();
      expect((await store().put(key, body)).sizeBytes).toBe(0);
      const read = await store().get(key);
      expect([read.sizeBytes, await text(read.body)]).toEqual([0, '']);
    }
  });

  it('gives parts', async () => {
    const key = newKey();
    await store().put(key, Buffer.from('0123456789'));
    const part = async (range: { offset: number; length?: number }) => text((await store().get(key, range)).body);
    expect(await part({ offset: 2, length: 3 })).toBe('234');
    expect(await part({ offset: 7 })).toBe('789');
    expect(await part({ offset: 8, length: 100 })).toBe('89');
    expect(await part({ offset: 0, length: 10 })).toBe('0123456789');
    for (const range of [{ offset: 10 }, { offset: -1 }, { offset: 3, length: 0 }, { offset: 1.5 }]) {
      await expect(store().get(key, range)).rejects.toMatchObject({ code: 'invalid-range' });
    }
  });

  it('says not-found for what is not there, and deletes it all the same', async () => {
    const key = newKey();
    await expect(store().get(key)).rejects.toMatchObject({ code: 'not-found', key });
    await expect(store().get(key, { offset: 0, length: 1 })).rejects.toMatchObject({ code: 'not-found' });
    await expect(store().head(key)).rejects.toMatchObject({ code: 'not-found' });
    await expect(store().copy({ from: key, to: newKey() })).rejects.toMatchObject({ code: 'not-found' });
    await store().delete(key);
    await store().put(key, Buffer.from('x'));
    await store().delete(key);
    await expect(store().head(key)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('replaces an object whole, and copies one', async () => {
    const key = newKey();
    const to = newKey('copy/deep/down');
    await store().put(key, Buffer.from('first'));
    await store().put(key, Buffer.from('second'));
    await store().copy({ from: key, to });
    await store().put(key, Buffer.from('third'));
    expect(await text((await store().get(to)).body)).toBe('second');
    expect(await text((await store().get(key)).body)).toBe('third');
  });

  it('lists by start of key in the order of bytes, in pages', async () => {
    const base = newKey('list');
    const names = ['a', 'a-b', 'a.b', 'ab', 'b/1', 'b/2', 'b-1', 'c', 'B'];
    for (const name of names) await store().put(`${base}/${name}/x`, Buffer.from(name));
    await store().put(`${base}x/other`, Buffer.from('other'));
    const expected = names.map((name) => `${base}/${name}/x`).sort((l, r) => (l < r ? -1 : 1));
    expect((await store().list(`${base}/`)).objects.map(({ key }) => key)).toEqual(expected);
    expect((await store().list(`${base}/b`)).objects).toHaveLength(3);
    expect(await store().list(`${base}/zz`)).toEqual({ objects: [], hasMore: false });
    const paged: string[] = [];
    for (let after: string | undefined; ; after = paged.at(-1)) {
      const page = await store().list(`${base}/`, { after, limit: 2 });
      paged.push(...page.objects.map(({ key }) => key));
      if (!page.hasMore) break;
    }
    expect(paged).toEqual(expected);
  });

  it.each(['buffers', 'streams'])('lets one of many win a conditional put of %s', async (kind) => {
    const key = newKey();
    const bodies = Array.from({ length: 8 }, (_, index) => Buffer.from(`writer ${index}`));
    const results = await Promise.allSettled(
      bodies.map((body) => store().put(key, kind === 'buffers' ? body : Readable.from([body]), { ifNoneMatch: '*' })),
    );
    const winners = results.flatMap((result, index) => (result.status === 'fulfilled' ? [index] : []));
    const codes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
    expect(winners).toHaveLength(1);
    expect(codes).toEqual(Array(7).fill('exists'));
    expect(await text((await store().get(key)).body)).toBe(`writer ${winners[0]}`);
  });

  it('leaves nothing of a body that breaks, and keeps what was there', async () => {
    const [fresh, taken] = [newKey(), newKey()];
    await store().put(taken, Buffer.from('before'));
    const broken = () =>
      Readable.from(
        (function* () {
          yield randomBytes(9 * 1024 * 1024);
          throw new Error('the client went away');
        })(),
        { objectMode: false },
      );
    for (const key of [fresh, taken]) await expect(store().put(key, broken())).rejects.toThrow('the client went away');
    await expect(store().head(fresh)).rejects.toMatchObject({ code: 'not-found' });
    expect(await text((await store().get(taken)).body)).toBe('before');
  });

  it.each(HOSTILE_KEYS)('refuses a key that %s, on every method', async (_what, key) => {
    const expected = { code: 'invalid-key' };
    await expect(store().put(key, Buffer.from('x'))).rejects.toMatchObject(expected);
    await expect(store().get(key)).rejects.toMatchObject(expected);
    await expect(store().head(key)).rejects.toMatchObject(expected);
    await expect(store().delete(key)).rejects.toMatchObject(expected);
    await expect(store().copy({ from: key, to: newKey() })).rejects.toMatchObject(expected);
    await expect(store().copy({ from: newKey('any'), to: key })).rejects.toMatchObject(expected);
    await expect(store().presignGet(key, { expiresInSeconds: 60 })).rejects.toMatchObject(expected);
    await expect(store().presignPut(key, { expiresInSeconds: 60 })).rejects.toMatchObject(expected);
  });
}

describe('object store in a folder', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'object-store-'));
  let store: ObjectStore;
  beforeAll(async () => {
    store = await openObjectStore({ kind: 'disk', root, presignSecret: Buffer.alloc(32, 1) });
  });
  afterAll(() => {
    expect(readdirSync(path.join(root, 'temporary'))).toEqual([]);
    rmSync(root, { recursive: true });
  });
  storeContract(() => store);

  it('follows no symbolic link, as object, as folder on the way, or as target', async () => {
    const outside = mkdtempSync(path.join(tmpdir(), 'object-store-outside-'));
    writeFileSync(path.join(outside, 'secret'), 'secret');
    const inside = path.join(root, 'objects', 'acme', 'linked');
    mkdirSync(inside, { recursive: true });
    symlinkSync(path.join(outside, 'secret'), path.join(inside, 'file'));
    symlinkSync(outside, path.join(inside, 'folder'));
    for (const key of ['acme/linked/file', 'acme/linked/folder/secret']) {
      await expect(store.get(key)).rejects.toMatchObject({ name: 'ObjectStoreError' });
      await expect(store.head(key)).rejects.toMatchObject({ name: 'ObjectStoreError' });
      await expect(store.copy({ from: key, to: newKey() })).rejects.toMatchObject({ name: 'ObjectStoreError' });
    }
    expect(await store.list('acme/linked/')).toEqual({ objects: [], hasMore: false });
    await expect(store.put('acme/linked/folder/made', Buffer.from('x'))).rejects.toMatchObject({ code: 'invalid-key' });
    await expect(store.put('acme/linked/folder/sub/made', Buffer.from('x'))).rejects.toMatchObject({
      code: 'invalid-key',
    });
    await expect(store.delete('acme/linked/folder/secret')).rejects.toMatchObject({ code: 'invalid-key' });
    await store.put('acme/linked/file', Buffer.from('replaces the link'));
    expect(readFileSync(path.join(outside, 'secret'), 'utf8')).toBe('secret');
    expect(readdirSync(outside)).toEqual(['secret']);
    rmSync(outside, { recursive: true });
  });

  it('signs URLs on the platform’s own address', async () => {
    const key = newKey();
    const target = await store.presignPut(key, { expiresInSeconds: 60 });
    expect(new URL(target, 'http://127.0.0.1:5050').origin).toBe('http://127.0.0.1:5050');
    expect(verifyPresigned(Buffer.alloc(32, 1), { method: 'PUT', target })).toMatchObject({ key, method: 'PUT' });
  });

  it('removes at its start what a crash left half-written a day ago, and nothing younger', async () => {
    const temporary = (name: string) => path.join(root, 'temporary', name);
    for (const name of ['old', 'young']) writeFileSync(temporary(name), 'half');
    const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 60 * 60;
    utimesSync(temporary('old'), twoDaysAgo, twoDaysAgo);
    await openObjectStore({ kind: 'disk', root, presignSecret: Buffer.alloc(32, 1) });
    expect(readdirSync(path.join(root, 'temporary'))).toEqual(['young']);
    rmSync(temporary('young'));
  });

  it('wants a secret of 32 bytes', async () => {
    await expect(openObjectStore({ kind: 'disk', root, presignSecret: Buffer.alloc(31) })).rejects.toThrow(RangeError);
  });
});

const { MLEDGER_TEST_S3_ENDPOINT: endpoint } = process.env;
const credentials = {
  accessKeyId: process.env.MLEDGER_TEST_S3_ACCESS_KEY_ID ?? '',
  secretAccessKey: process.env.MLEDGER_TEST_S3_SECRET_ACCESS_KEY ?? '',
};

(endpoint === undefined ? describe.skip : describe)('object store in S3', () => {
  let store: S3ObjectStore;
  beforeAll(async () => {
    store = await S3ObjectStore.open({ bucket: `object-store-${SUITE}`, endpoint, credentials });
  });
  afterAll(() => store.close());
  storeContract(() => store);

  it('signs URLs that work without credentials, and not with one letter changed', async () => {
    const key = newKey();
    const put = await fetch(await store.presignPut(key, { expiresInSeconds: 60 }), { method: 'PUT', body: 'by hand' });
    expect([put.status, put.headers.get('etag')]).toEqual([200, `"${digest('md5', Buffer.from('by hand'))}"`]);
    const url = await store.presignGet(key, { expiresInSeconds: 60, fileName: 'a b.txt', contentType: 'text/x-own' });
    const got = await fetch(url);
    expect(await got.text()).toBe('by hand');
    expect(got.headers.get('content-disposition')).toBe(`attachment; filename*=UTF-8''a%20b.txt`);
    expect((await fetch(url.replace(/.$/, (last) => (last === '0' ? '1' : '0')))).status).toBe(403);
  });

  it('ends the upload of a body that breaks, so that no part of it is left', async () => {
    const client = new S3Client({ region: 'us-east-1', endpoint: endpoint!, forcePathStyle: true, credentials });
    const uploads = async () =>
      (await client.send(new ListMultipartUploadsCommand({ Bucket: `object-store-${SUITE}` }))).Uploads ?? [];
    let begun = 0;
    const broken = Readable.from(
      (async function* () {
        yield randomBytes(20 * 1024 * 1024);
        while (begun === 0) begun = (await uploads()).length;
        throw new Error('the client went away');
      })(),
      { objectMode: false },
    );
    await expect(store.put(newKey(), broken)).rejects.toThrow('the client went away');
    expect([begun, (await uploads()).length]).toEqual([1, 0]);
    client.destroy();
  });

  it('opens a bucket that exists', async () => {
    const again = await S3ObjectStore.open({ bucket: `object-store-${SUITE}`, endpoint, credentials });
    again.close();
  });
});
