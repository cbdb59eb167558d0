import type { TestKey } from '@mledger/service-kit/testing';
import { signed } from './aws-signer';
import { LakefsClient } from './lakefs-client';

let client: LakefsClient;
let key: TestKey;
beforeAll(async () => {
  client = await LakefsClient.start({ MLEDGER_AUTH: 'keys' });
  key = await client.issueKey({ roles: ['admin'] });
  client.authorization = key.authorization;
});
afterAll(() => client.stop());

const send = (request: Parameters<typeof signed>[1], by: TestKey = key) => client.service.inject(signed(by, request));
const codeOf = (xml: string) => /<Code>(.*?)<\/Code>/.exec(xml)?.[1];

describe('a tenant', () => {
  it('sees and changes nothing of another, whatever it names', async () => {
    const repository = await client.newRepository();
    const name = repository.slice(1);
    await client.put(repository, 'secret', 'secret');
    const commitId = await client.commit(repository, 'secret').then(({ json }) => json.id);
    const { physical_address } = (await client.call('GET', `${repository}/refs/main/objects/stat?path=secret`)).json;
    await client.service.access!.createTenant('other');
    const stranger = await client.issueKey({ tenant: 'other', roles: ['admin'] });
    const headers = { authorization: stranger.authorization };
    const ask = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: unknown) =>
      client.call(method, url, { body, headers });
    expect((await ask('GET', '')).json.results).toEqual([]);
    expect((await ask('GET', repository)).status).toBe(404);
    expect((await ask('GET', `${repository}/refs/${commitId}/objects?path=secret`)).status).toBe(404);
    expect((await ask('DELETE', repository)).status).toBe(404);
    // Its own repository of the same name and namespace is another one.
    const own = { name, storage_namespace: `local://${name}` };
    expect((await ask('POST', '', own)).status).toBe(201);
    expect((await ask('GET', `${repository}/refs/${commitId}/objects?path=secret`)).status).toBe(404);
    const stage = { physical_address, checksum: 'c', size_bytes: 6 };
    expect((await ask('PUT', `${repository}/branches/main/objects?path=stolen`, stage)).status).toBe(400);
    const listed = await send({ method: 'GET', url: `/${name}?prefix=main%2F` }, stranger);
    expect([listed.statusCode, listed.body.includes('secret')]).toEqual([200, false]);
    expect((await send({ method: 'GET', url: `/${name}/${commitId}/secret` }, stranger)).statusCode).toBe(404);
    expect((await client.read(repository, 'main', 'secret')).text).toBe('secret');
  });
});

describe('roles', () => {
  it('let a reader read and not write, by either protocol', async () => {
    const repository = await client.newRepository();
    await client.put(repository, 'a', '1');
    const reader = await client.issueKey({ roles: ['reader'] });
    const headers = { authorization: reader.authorization };
    expect((await client.call('GET', `${repository}/refs/main/objects?path=a`, { headers })).text).toBe('1');
    const url = `${repository}/branches/main/objects?path=a`;
    expect((await client.call('POST', url, { headers, body: '2' })).status).toBe(401);
    expect((await client.call('DELETE', url, { headers })).status).toBe(401);
    const object = `${repository}/main/a`;
    expect((await send({ method: 'GET', url: object }, reader)).body).toBe('1');
    for (const method of ['PUT', 'DELETE'] as const) {
      const refused = await send({ method, url: object, ...(method === 'PUT' && { body: '2' }) }, reader);
      expect([refused.statusCode, codeOf(refused.body)]).toEqual([403, 'AccessDenied']);
    }
    expect((await client.read(repository, 'main', 'a')).text).toBe('1');
  });

  it('let a contributor write, and not delete what others build on', async () => {
    const repository = await client.newRepository();
    const contributor = await client.issueKey({ roles: ['contributor'] });
    const headers = { authorization: contributor.authorization };
    expect(
      (await client.call('POST', `${repository}/branches/main/objects?path=a`, { headers, body: '1' })).status,
    ).toBe(201);
    expect((await client.call('DELETE', repository, { headers })).status).toBe(401);
    const rules = { headers, body: [] };
    expect((await client.call('PUT', `${repository}/settings/branch_protection`, rules)).status).toBe(401);
  });

  it('are asked of everybody', async () => {
    const repository = await client.newRepository();
    for (const authorization of ['', 'Basic !!!', 'Bearer none']) {
      const refused = await client.call('GET', repository, { headers: { authorization } });
      expect([refused.status, refused.json]).toEqual([401, { message: expect.any(String) }]);
    }
    const unsigned = await client.service.inject({ method: 'GET', url: `/.s3${repository}/main/a` });
    expect(unsigned.statusCode).toBeGreaterThanOrEqual(400);
  });
});

describe('a signed request to S3', () => {
  let repository: string;
  let url: string;
  beforeAll(async () => {
    repository = await client.newRepository();
    url = `${repository}/main/a`;
    expect((await send({ method: 'PUT', url, body: 'whole' })).statusCode).toBe(200);
  });
  afterEach(async () => {
    expect((await client.read(repository, 'main', 'a')).text).toBe('whole');
    expect(await client.paths(repository, 'main')).toEqual(['a']);
  });

  it('is refused with another signature, another body, a stale date, or a header taken away', async () => {
    const put = signed(key, { method: 'PUT', url, body: 'other', headers: { 'x-amz-meta-k': 'v' } });
    const sendChanged = async (change: object) => {
      const answer = await client.service.inject({ ...put, ...change });
      return [answer.statusCode, codeOf(answer.body)];
    };
    const wrong = put.headers.authorization!.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    expect(await sendChanged({ headers: { ...put.headers, authorization: wrong } })).toEqual([
      403,
      'SignatureDoesNotMatch',
    ]);
    const { 'x-amz-meta-k': _, ...without } = put.headers;
    expect(await sendChanged({ headers: without })).toEqual([403, 'SignatureDoesNotMatch']);
    expect(await sendChanged({ headers: { ...put.headers, 'x-amz-meta-k': 'w' } })).toEqual([
      403,
      'SignatureDoesNotMatch',
    ]);
    expect((await sendChanged({ payload: 'OTHER' }))[0]).toBe(400);
    const stale = await send({ method: 'PUT', url, body: 'late', date: new Date(Date.now() - 16 * 60 * 1000) });
    expect([stale.statusCode, codeOf(stale.body)]).toEqual([403, 'RequestTimeTooSkewed']);
  });

  it.each([
    ['cut short in a chunk', '5\r\nwh'],
    ['without its last chunk', '5\r\nwhole\r\n'],
    ['with a chunk that is no number', 'x\r\nwhole\r\n0\r\n\r\n'],
    ['with a wrong checksum after it', '5\r\nother\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n'],
  ])('leaves nothing of an aws-chunked body %s', async (_what, body) => {
    const refused = await send({
      method: 'PUT',
      url,
      body,
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: {
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': '5',
        'x-amz-trailer': 'x-amz-checksum-crc32',
      },
    });
    expect(refused.statusCode).toBe(400);
    expect(refused.body).toContain('<Error>');
  });

  it.each([
    ['a document type', '<!DOCTYPE d [<!ENTITY e "x">]><Delete><Object><Key>main/a</Key></Object></Delete>'],
    ['no XML', 'main/a'],
    ['another document', '<Remove><Object><Key>main/a</Key></Object></Remove>'],
    ['no key', '<Delete><Object><Version>1</Version></Object></Delete>'],
    ['nothing', '<Delete></Delete>'],
    ['too many keys', `<Delete>${'<Object><Key>main/x</Key></Object>'.repeat(1001)}</Delete>`],
    ['too many bytes', `<Delete><Object><Key>${'x'.repeat(5 * 1024 * 1024)}</Key></Object></Delete>`],
  ])('to delete many is refused for %s', async (_what, body) => {
    const refused = await send({ method: 'POST', url: `${repository}?delete`, body });
    expect([refused.statusCode, codeOf(refused.body)]).toEqual([400, 'MalformedXML']);
  });

  it.each(['/api/v1/repositories', '/v2/models', '/', '/.s3/x'])('is for S3 also at %s', async (path) => {
    const answer = await send({ method: 'GET', url: path });
    expect(answer.headers['content-type']).toContain('application/xml');
    if (path.startsWith('/api')) expect(codeOf(answer.body)).toBe('ErrNoSuchBucketPossibleAPIEndpoint');
  });

  it('cannot climb out of its bucket', async () => {
    for (const path of [
      '/../x/main/a',
      `${repository}/../x/main/a`,
      `${repository}/main/..%2F..%2Fetc%2Fpasswd`,
      `${repository}/main/%2e%2e/a`,
    ]) {
      expect((await send({ method: 'GET', url: path })).statusCode).toBeGreaterThanOrEqual(400);
    }
  });
});

it('a script that somebody stored is given back as something to save, never to run', async () => {
  const repository = await client.newRepository();
  const headers = { 'content-type': 'text/html', authorization: key.authorization };
  await client.call('POST', `${repository}/branches/main/objects?path=x.html`, { body: '<script>1</script>', headers });
  const byRest = await client.read(repository, 'main', 'x.html');
  const byS3 = await send({ method: 'GET', url: `${repository}/main/x.html` });
  const stat = await client.call('GET', `${repository}/refs/main/objects/stat?path=x.html&presign=true`);
  const { pathname, search } = new URL(stat.json.physical_address);
  const byUrl = await client.service.inject({ method: 'GET', url: pathname + search });
  for (const answer of [byRest, byS3, byUrl]) {
    expect(answer.headers).toMatchObject({
      'content-disposition': expect.stringMatching(/^attachment/),
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
    });
  }
});
