import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { TestKey } from '@mledger/service-kit/testing';
import { signed } from './aws-signer';
import { LakefsClient } from './lakefs-client';

let client: LakefsClient;
let key: TestKey;
let repository: string;
beforeAll(async () => {
  client = await LakefsClient.start({ MLEDGER_AUTH: 'keys' });
  key = await client.issueKey({ roles: ['admin'] });
  client.authorization = key.authorization;
});
beforeEach(async () => {
  repository = await client.newRepository();
});
afterAll(() => client.stop());

const send = (request: Parameters<typeof signed>[1]) => client.service.inject(signed(key, request));
const put = (path: string, body = 'x') =>
  send({ method: 'PUT', url: `${repository}/main/${encodeURIComponent(path)}`, body });
const textOf = (xml: string, element: string) => new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(xml)?.[1];
const answerOf = ({ statusCode, body }: { statusCode: number; body: string }) => [statusCode, textOf(body, 'Code')];
const crc32Of = (text: string) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString('base64');
};

describe('a document that a client sends', () => {
  it('names keys with line ends by references to characters', async () => {
    const keys = ['line\nend', 'carriage\rreturn', 'control\u0001', 'reference&#65;', 'amp&lt;'];
    for (const path of keys) expect((await put(path)).statusCode).toBe(200);
    await put('kept');
    const named = ['line&#xA;end', 'carriage&#13;return', 'control&#1;', 'reference&amp;#65;', 'amp&amp;lt;'];
    const body = `<Delete>${named.map((name) => `<Object><Key>main/${name}</Key></Object>`).join('')}</Delete>`;
    expect((await send({ method: 'POST', url: `${repository}?delete`, body })).statusCode).toBe(200);
    expect(await client.paths(repository, 'main')).toEqual(['kept']);
  });

  it('is refused, not waited for, when it is not what its checksum says', async () => {
    await put('kept');
    const body = '<Delete><Object><Key>main/kept</Key></Object></Delete>';
    const headers = { 'content-md5': createHash('md5').update('another').digest('base64') };
    expect(answerOf(await send({ method: 'POST', url: `${repository}?delete`, body, headers }))).toEqual([
      400,
      'BadDigest',
    ]);
    expect(await client.paths(repository, 'main')).toEqual(['kept']);
  });
});

it('each answer bears the id that its error tells', async () => {
  const stored = await put('kept');
  expect(stored.headers['x-amz-request-id']).toBe(stored.headers['x-request-id']);
  const missing = await send({ method: 'GET', url: `${repository}/main/missing` });
  expect(missing.headers['x-amz-request-id']).toBe(textOf(missing.body, 'RequestId'));
});

it('a listing goes on where it stopped, whatever the keys hold', async () => {
  const keys = ['a\u0001', 'a\n', 'a\r', 'a\r\n', 'a b', 'a%0A', 'a&', 'a+', 'é', '😀'];
  for (const path of keys) await put(path);
  const found: string[] = [];
  let token: string | undefined;
  for (let page = 0; page <= keys.length; page += 1) {
    const next = token === undefined ? '' : `&continuation-token=${encodeURIComponent(token)}`;
    const query = `list-type=2&max-keys=1&encoding-type=url&prefix=main%2F${next}`;
    const { body } = await send({ method: 'GET', url: `${repository}?${query}` });
    found.push(decodeURIComponent(textOf(body, 'Key')!).slice('main/'.length));
    // As a reader of XML takes it: line ends come out as one newline.
    token = textOf(body, 'NextContinuationToken')?.replaceAll(/\r\n?/g, '\n').replaceAll('&amp;', '&');
    if (token === undefined) break;
  }
  expect(found).toEqual(keys);
});

it('buckets are listed by their beginning, in pages', async () => {
  for (const name of ['pages-a', 'pages-b', 'pages-c']) {
    await client.call('POST', '', { body: { name, storage_namespace: `local://${name}` } });
  }
  const list = async (query: string) => {
    const { body } = await send({ method: 'GET', url: `/?${query}` });
    return [[...body.matchAll(/<Name>(.*?)<\/Name>/g)].map(([, name]) => name), textOf(body, 'ContinuationToken')];
  };
  expect(await list('prefix=pages-')).toEqual([['pages-a', 'pages-b', 'pages-c'], undefined]);
  expect(await list('max-buckets=2&prefix=pages-')).toEqual([['pages-a', 'pages-b'], 'pages-b']);
  expect(await list('continuation-token=pages-b&max-buckets=2&prefix=pages-')).toEqual([['pages-c'], undefined]);
  expect(answerOf(await send({ method: 'GET', url: '/?max-buckets=0' }))).toEqual([400, 'InvalidArgument']);
});

describe('an upload in parts', () => {
  it.each([
    ['crc32', 'FULL_OBJECT', crc32Of('onetwo'), [200, undefined]],
    ['crc32', 'FULL_OBJECT', crc32Of('other'), [400, 'BadDigest']],
    ['crc32', 'COMPOSITE', `${crc32Of('other')}-2`, [200, undefined]],
    ['crc64nvme', undefined, 'AAAAAAAAAAA=', [400, 'BadDigest']],
  ])('completed with the %s (%s) %s of the object', async (name, type, checksum, expected) => {
    const url = `${repository}/main/whole`;
    const uploadId = textOf((await send({ method: 'POST', url: `${url}?uploads` })).body, 'UploadId');
    const etags: unknown[] = [];
    for (const [at, body] of ['one', 'two'].entries()) {
      const part = await send({ method: 'PUT', url: `${url}?partNumber=${at + 1}&uploadId=${uploadId}`, body });
      etags.push(part.headers.etag);
    }
    const parts = etags.map((etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
    const completed = await send({
      method: 'POST',
      url: `${url}?uploadId=${uploadId}`,
      body: `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`,
      headers: { [`x-amz-checksum-${name}`]: checksum, ...(type && { 'x-amz-checksum-type': type }) },
    });
    expect(answerOf(completed)).toEqual(expected);
    const isThere = expected[0] === 200;
    expect(await client.contents(repository, 'main')).toEqual(isThere ? { whole: 'onetwo' } : {});
  });
});

describe('the uploads under way', () => {
  const start = async (path: string) =>
    textOf((await send({ method: 'POST', url: `${repository}/main/${path}?uploads` })).body, 'UploadId')!;
  const list = async (query: string) => (await send({ method: 'GET', url: `${repository}?uploads&${query}` })).body;
  const namesIn = (xml: string) =>
    [...xml.matchAll(/<Key>(.*?)<\/Key>|<CommonPrefixes><Prefix>(.*?)<\/Prefix>/g)].map(
      ([, key, prefix]) => key ?? prefix,
    );

  it('are listed in pages, those of one key too', async () => {
    const started = [await start('a'), await start('a'), await start('a'), await start('b%20c')];
    const ids: unknown[] = [];
    let markers = '';
    for (let page = 0; page <= started.length; page += 1) {
      const xml = await list(`max-uploads=1&encoding-type=url${markers}`);
      ids.push(textOf(xml, 'UploadId'));
      if (textOf(xml, 'IsTruncated') !== 'true') break;
      markers = `&key-marker=${encodeURIComponent(decodeURIComponent(textOf(xml, 'NextKeyMarker')!))}&upload-id-marker=${textOf(xml, 'NextUploadIdMarker')}`;
    }
    expect(ids).toEqual(started);
    expect(namesIn(await list('key-marker=main%2Fa'))).toEqual(['main/b c']);
    expect(namesIn(await list('upload-id-marker=z'))).toHaveLength(4);
    expect(answerOf(await send({ method: 'GET', url: `${repository}?uploads&max-uploads=0` }))).toEqual([
      400,
      'InvalidArgument',
    ]);
  });

  it('are gathered into folders', async () => {
    for (const path of ['d/1', 'd/2', 'd-1', 'e']) await start(path);
    expect(namesIn(await list('prefix=main%2F&delimiter=%2F')).sort()).toEqual(['main/d-1', 'main/d/', 'main/e']);
    const first = await list('prefix=main%2F&delimiter=%2F&max-uploads=2');
    expect(textOf(first, 'NextKeyMarker')).toBe('main/d/');
    expect(namesIn(await list('prefix=main%2F&delimiter=%2F&key-marker=main%2Fd%2F'))).toEqual(['main/e']);
    expect(namesIn(await list('prefix=main%2Fd%2F&delimiter=%2F'))).toEqual(['main/d/1', 'main/d/2']);
  });
});

it('a branch is a folder: its marker is taken and not kept, and its deletion is none', async () => {
  await put('kept');
  const marker = (method: 'PUT' | 'DELETE', branch: string, body = '') =>
    send({ method, url: `${repository}/${branch}/`, body, headers: { 'content-length': String(body.length) } });
  expect((await marker('PUT', 'main')).statusCode).toBe(200);
  expect((await marker('DELETE', 'main')).statusCode).toBe(204);
  expect(answerOf(await marker('PUT', 'none'))).toEqual([404, 'NoSuchBucket']);
  expect(answerOf(await marker('PUT', 'main', 'content'))).toEqual([404, 'NoSuchKey']);
  expect(await client.paths(repository, 'main')).toEqual(['kept']);
});

it('an object is deleted by a request that calls the body it has not XML', async () => {
  await put('a');
  const headers = { 'content-type': 'application/xml' };
  expect((await send({ method: 'DELETE', url: `${repository}/main/a`, headers })).statusCode).toBe(204);
  expect((await send({ method: 'DELETE', url: `${repository}/none/a`, headers })).statusCode).toBe(204);
  expect(await client.paths(repository, 'main')).toEqual([]);
});

it('an object has one part, which is all of it', async () => {
  await put('a', 'content');
  await put('empty', '');
  const get = (path: string, number: string, headers = {}) =>
    send({ method: 'GET', url: `${repository}/main/${path}?partNumber=${number}`, headers });
  const whole = await get('a', '1');
  expect([whole.statusCode, whole.headers['content-range'], whole.body]).toEqual([206, 'bytes 0-6/7', 'content']);
  expect((await get('empty', '1')).statusCode).toBe(200);
  expect(answerOf(await get('a', '2'))).toEqual([416, 'InvalidPartNumber']);
  expect(answerOf(await get('a', '0'))).toEqual([400, 'InvalidArgument']);
  expect(answerOf(await get('a', '1', { range: 'bytes=0-1' }))).toEqual([400, 'InvalidRequest']);
});

it('a part is copied from a range that its source has, or not at all', async () => {
  await put('source', 'content');
  const url = `${repository}/main/copied`;
  const uploadId = textOf((await send({ method: 'POST', url: `${url}?uploads` })).body, 'UploadId');
  const copy = (range: string) =>
    send({
      method: 'PUT',
      url: `${url}?partNumber=1&uploadId=${uploadId}`,
      headers: { 'x-amz-copy-source': `${repository}/main/source`, 'x-amz-copy-source-range': range },
    });
  for (const range of ['bytes=0-7', 'bytes=7-9', 'bytes=3-', 'bytes=3-2', 'bytes=-2']) {
    expect(answerOf(await copy(range))).toEqual([400, 'InvalidArgument']);
  }
  const { body } = await copy('bytes=3-6');
  expect(body).toContain(createHash('md5').update('tent').digest('hex'));
});

it('a part of an upload that is aborted while it comes in is refused, and nothing is kept of it', async () => {
  const url = `${repository}/main/aborted`;
  const uploadId = textOf((await send({ method: 'POST', url: `${url}?uploads` })).body, 'UploadId');
  async function* part() {
    yield Buffer.from('half');
    expect((await send({ method: 'DELETE', url: `${url}?uploadId=${uploadId}` })).statusCode).toBe(204);
    yield Buffer.from('half');
  }
  const payloadHash = 'UNSIGNED-PAYLOAD';
  const request = signed(key, { method: 'PUT', url: `${url}?partNumber=1&uploadId=${uploadId}`, payloadHash });
  const answer = await client.service.inject({ ...request, payload: Readable.from(part()) });
  expect(answerOf(answer)).toEqual([404, 'NoSuchUpload']);
});

it('an upload that is aborted while it is being completed is not there any more', async () => {
  const url = `${repository}/main/aborted`;
  const uploadId = textOf((await send({ method: 'POST', url: `${url}?uploads` })).body, 'UploadId');
  const part = await send({ method: 'PUT', url: `${url}?partNumber=1&uploadId=${uploadId}`, body: 'part' });
  async function* document() {
    yield Buffer.from('<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>');
    // Its parts were looked up before its document was read.
    expect((await send({ method: 'DELETE', url: `${url}?uploadId=${uploadId}` })).statusCode).toBe(204);
    yield Buffer.from(`<ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`);
  }
  const request = signed(key, { method: 'POST', url: `${url}?uploadId=${uploadId}`, payloadHash: 'UNSIGNED-PAYLOAD' });
  const answer = await client.service.inject({ ...request, payload: Readable.from(document()) });
  expect(answerOf(answer)).toEqual([404, 'NoSuchUpload']);
});

describe('a condition', () => {
  it('on what is copied decides whether it is', async () => {
    await put('source', 'content');
    const etag = `"${createHash('md5').update('content').digest('hex')}"`;
    const copy = (headers: Record<string, string>) =>
      send({
        method: 'PUT',
        url: `${repository}/main/copy`,
        headers: { 'x-amz-copy-source': `${repository}/main/source`, ...headers },
      });
    const conditions: Record<string, string>[] = [
      { 'x-amz-copy-source-if-match': '"other"' },
      { 'x-amz-copy-source-if-none-match': etag },
      { 'x-amz-copy-source-if-unmodified-since': 'Thu, 01 Jan 2015 00:00:00 GMT' },
    ];
    for (const condition of conditions) {
      expect(answerOf(await copy(condition))).toEqual([412, 'PreconditionFailed']);
    }
    expect(await client.paths(repository, 'main')).toEqual(['source']);
    expect((await copy({ 'x-amz-copy-source-if-match': etag })).statusCode).toBe(200);
    expect(await client.contents(repository, 'main')).toEqual({ copy: 'content', source: 'content' });
  });

  it('that the object must be new names itself when it is not', async () => {
    await put('a', 'content');
    const again = await send({
      method: 'PUT',
      url: `${repository}/main/a`,
      body: 'other',
      headers: { 'if-none-match': '*' },
    });
    expect(answerOf(again)).toEqual([412, 'PreconditionFailed']);
    expect(again.body).toContain('<Condition>If-None-Match</Condition>');
    expect(await client.contents(repository, 'main')).toEqual({ a: 'content' });
  });

  it('that is not kept is refused, and nothing is written or deleted', async () => {
    await put('a', 'content');
    const url = `${repository}/main/a`;
    const ifMatch = { 'if-match': '"other"' };
    const named = '<Delete><Object><Key>main/a</Key><ETag>"other"</ETag></Object></Delete>';
    const refused = [501, 'NotImplemented'];
    expect(answerOf(await send({ method: 'DELETE', url, headers: ifMatch }))).toEqual(refused);
    expect(answerOf(await send({ method: 'PUT', url, headers: ifMatch }))).toEqual(refused);
    expect(answerOf(await send({ method: 'POST', url: `${repository}?delete`, body: named }))).toEqual(refused);
    const sealed = { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' };
    expect(answerOf(await send({ method: 'PUT', url, headers: sealed }))).toEqual(refused);
    const append = { 'x-amz-write-offset-bytes': '7' };
    expect(answerOf(await send({ method: 'PUT', url, body: 'more', headers: append }))).toEqual(refused);
    expect(await client.contents(repository, 'main')).toEqual({ a: 'content' });
  });
});
