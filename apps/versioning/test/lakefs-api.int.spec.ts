import { createHash } from 'node:crypto';
import { LakefsClient } from './lakefs-client';

let client: LakefsClient;
beforeAll(async () => {
  client = await LakefsClient.start();
});
afterAll(() => client.stop());

describe('repositories', () => {
  it('are made with a branch on a first commit, found, listed, deleted and made again', async () => {
    const created = await client.call('POST', '', { body: { name: 'lakes', storage_namespace: 'local://lakes' } });
    expect(created.json).toEqual({
      id: 'lakes',
      creation_date: expect.any(Number),
      default_branch: 'main',
      storage_namespace: 'local://lakes',
      storage_id: '',
      read_only: false,
    });
    expect((await client.call('GET', '/lakes')).json).toEqual(created.json);
    const [first] = (await client.call('GET', '/lakes/refs/main/commits')).json.results;
    expect(first).toMatchObject({
      message: 'Repository created',
      parents: [],
      committer: '',
      meta_range_id: '',
      metadata: {},
      generation: 1,
    });
    expect(first.id).toMatch(/^[0-9a-f]{64}$/);
    const again = await client.call('POST', '', { body: { name: 'lakes', storage_namespace: 'local://other' } });
    expect([again.status, again.json]).toEqual([409, { message: 'error creating repository: not unique' }]);
    const used = await client.call('POST', '', { body: { name: 'lakes-2', storage_namespace: 'local://lakes' } });
    expect(used.status).toBe(400);
    expect((await client.call('DELETE', '/lakes')).status).toBe(204);
    expect([(await client.call('GET', '/lakes')).status, (await client.call('GET', '/lakes')).json]).toEqual([
      404,
      { message: 'repository not found' },
    ]);
    expect(
      (await client.call('POST', '', { body: { name: 'lakes', storage_namespace: 'local://lakes' } })).status,
    ).toBe(201);
    expect(await client.paths('/lakes', 'main')).toEqual([]);
  });

  it('made at once under one name are one, and the others are told so', async () => {
    for (let round = 0; round < 10; round += 1) {
      const body = { name: `contested-${round}`, storage_namespace: `local://contested-${round}` };
      const made = await Promise.all(Array.from({ length: 10 }, () => client.call('POST', '', { body })));
      expect(made.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(9).fill(409)]);
    }
  });

  it('are listed in pages, by start and by part of the name', async () => {
    for (const name of ['list-c', 'list-a', 'list-b']) {
      await client.call('POST', '', { body: { name, storage_namespace: `local://${name}` } });
    }
    const page = (await client.call('GET', '?prefix=list-&amount=2')).json;
    expect(page.results.map(({ id }: { id: string }) => id)).toEqual(['list-a', 'list-b']);
    expect(page.pagination).toEqual({ has_more: true, next_offset: 'list-b', results: 2, max_per_page: 1000 });
    const rest = (await client.call('GET', '?prefix=list-&amount=2&after=list-b')).json;
    expect(rest.results.map(({ id }: { id: string }) => id)).toEqual(['list-c']);
    expect(rest.pagination).toMatchObject({ has_more: false, next_offset: '' });
    expect((await client.call('GET', '?search=ist-b')).json.results).toHaveLength(1);
  });

  it.each(['', 'ab', 'Upper', '-begins', 'a.b', 'a'.repeat(64), '../etc', 'a/b'])('are not named %p', async (name) => {
    const refused = await client.call('POST', '', { body: { name, storage_namespace: 'local://x' } });
    expect([refused.status, typeof refused.json.message]).toEqual([400, 'string']);
  });

  it('keep metadata', async () => {
    const repository = await client.newRepository();
    expect(
      (await client.call('POST', `${repository}/metadata`, { body: { metadata: { a: '1', b: '2' } } })).status,
    ).toBe(204);
    expect((await client.call('DELETE', `${repository}/metadata`, { body: { keys: ['a'] } })).status).toBe(204);
    expect((await client.call('GET', `${repository}/metadata`)).json).toEqual({ b: '2' });
  });

  it('that are read-only refuse every write but a forced one', async () => {
    const repository = await client.newRepository({ read_only: true });
    const refused = await client.put(repository, 'a', '1');
    expect([refused.status, refused.json]).toEqual([403, { message: 'read-only repository' }]);
    expect((await client.branchOff(repository, 'dev')).status).toBe(403);
    expect((await client.call('DELETE', repository)).status).toBe(403);
    expect(
      (await client.call('POST', `${repository}/branches/main/objects?path=a&force=true`, { body: '1' })).status,
    ).toBe(201);
    expect((await client.call('DELETE', `${repository}?force=true`)).status).toBe(204);
  });
});

describe('objects', () => {
  it('are uploaded, described, read and listed before and after a commit', async () => {
    const repository = await client.newRepository();
    const stats = (
      await client.call('POST', `${repository}/branches/main/objects?path=data%2Fa.csv`, {
        body: 'x,y\n1,2\n',
        headers: { 'x-lakefs-meta-Owner': 'Ana', 'x-lakefs-internal-posix-permissions': '0644' },
      })
    ).json;
    expect(stats).toEqual({
      path: 'data/a.csv',
      path_type: 'object',
      physical_address: expect.stringMatching(/^local:\/\/repo-\d+\/data\/[0-9a-v]{20}\/[0-9a-v]{20}$/),
      checksum: createHash('md5').update('x,y\n1,2\n').digest('hex'),
      size_bytes: 8,
      mtime: expect.any(Number),
      metadata: { owner: 'Ana', '::lakefs::posix-permissions': '0644' },
      content_type: 'text/csv',
    });
    const staged = await client.read(repository, 'main', 'data/a.csv');
    expect([staged.status, staged.text]).toEqual([200, 'x,y\n1,2\n']);
    expect(staged.headers).toMatchObject({
      etag: `"${stats.checksum}"`,
      'content-type': 'text/csv',
      'content-length': '8',
      'content-disposition': "attachment; filename*=UTF-8''a.csv",
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
    });
    expect((await client.read(repository, 'main@', 'data/a.csv')).status).toBe(404);
    const { id } = (await client.commit(repository, 'first')).json;
    for (const ref of [id, id.slice(0, 12), 'main', 'main@', 'main$', 'main~0', `${id}^0`]) {
      expect([ref, (await client.read(repository, ref, 'data/a.csv')).text]).toEqual([ref, 'x,y\n1,2\n']);
    }
    expect((await client.read(repository, 'main~1', 'data/a.csv')).status).toBe(404);
    expect((await client.call('GET', `${repository}/refs/main/objects/stat?path=data%2Fa.csv`)).json).toEqual(stats);
    const { metadata: _, ...bare } = stats;
    const lean = await client.call('GET', `${repository}/refs/main/objects/stat?path=data%2Fa.csv&user_metadata=false`);
    expect(lean.json).toEqual(bare);
  });

  it('are listed with prefixes, delimiters and pages, staged changes over committed ones', async () => {
    const repository = await client.newRepository();
    for (const path of ['a', 'b/1', 'b/2', 'c', 'd/é/1', 'd/x']) await client.put(repository, path, path);
    await client.commit(repository, 'first');
    await client.put(repository, 'b/3', 'new');
    await client.put(repository, 'bb', 'new');
    await client.call('DELETE', `${repository}/branches/main/objects?path=c`);
    expect(await client.paths(repository, 'main')).toEqual(['a', 'b/1', 'b/2', 'b/3', 'bb', 'd/x', 'd/é/1']);
    expect(await client.paths(repository, 'main@')).toEqual(['a', 'b/1', 'b/2', 'c', 'd/x', 'd/é/1']);
    expect(await client.paths(repository, 'main', 'delimiter=/')).toEqual(['a', 'b/', 'bb', 'd/']);
    expect(await client.paths(repository, 'main', 'delimiter=/&prefix=d/')).toEqual(['d/x', 'd/é/']);
    expect(await client.paths(repository, 'main', 'delimiter=/&after=b/')).toEqual(['bb', 'd/']);
    expect(await client.paths(repository, 'main', 'prefix=b/&after=b/1&amount=1')).toEqual(['b/2']);
    const page = (await client.call('GET', `${repository}/refs/main/objects/ls?delimiter=/&amount=2`)).json;
    expect(page.pagination).toEqual({ has_more: true, next_offset: 'b/', results: 2, max_per_page: 1000 });
    expect(page.results[1]).toEqual({
      path: 'b/',
      path_type: 'common_prefix',
      physical_address: '',
      checksum: '',
      mtime: 0,
    });
  });

  it('are read in parts', async () => {
    const repository = await client.newRepository();
    await client.put(repository, 'digits', '0123456789');
    const part = async (range: string) => {
      const answer = await client.call('GET', `${repository}/refs/main/objects?path=digits`, { headers: { range } });
      return [answer.status, answer.headers['content-range'], answer.status === 206 ? answer.text : ''];
    };
    expect(await part('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234']);
    expect(await part('bytes=7-')).toEqual([206, 'bytes 7-9/10', '789']);
    expect(await part('bytes=-2')).toEqual([206, 'bytes 8-9/10', '89']);
    expect(await part('bytes=8-99')).toEqual([206, 'bytes 8-9/10', '89']);
    for (const range of ['bytes=10-', 'bytes=-0', 'bytes=1-2,4-5', 'bytes=5-2', 'lines=1-2']) {
      expect(await part(range)).toEqual([416, 'bytes */10', '']);
    }
    const head = await client.call('HEAD', `${repository}/refs/main/objects?path=digits`, {
      headers: { range: 'bytes=2-4' },
    });
    expect([head.status, head.headers['content-length'], head.text]).toEqual([206, '3', '']);
    expect((await client.call('HEAD', `${repository}/refs/main/objects?path=none`)).status).toBe(404);
    const known = (await client.read(repository, 'main', 'digits')).headers.etag as string;
    const fresh = { headers: { 'if-none-match': known } };
    expect((await client.call('GET', `${repository}/refs/main/objects?path=digits`, fresh)).status).toBe(304);
  });

  it('are uploaded as multipart forms too', async () => {
    const repository = await client.newRepository();
    const form = [
      '--b0undary',
      'Content-Disposition: form-data; name="content"; filename="x.txt"',
      'Content-Type: text/plain',
      '',
      'in a form',
      '--b0undary--',
      '',
    ].join('\r\n');
    const headers = { 'content-type': 'multipart/form-data; boundary=b0undary' };
    const url = `${repository}/branches/main/objects?path=x.txt`;
    expect((await client.call('POST', url, { body: form, headers })).json).toMatchObject({
      size_bytes: 9,
      content_type: 'text/plain',
    });
    expect((await client.read(repository, 'main', 'x.txt')).text).toBe('in a form');
    const cutShort = await client.call('POST', url, { body: form.slice(0, -20), headers });
    expect(cutShort.status).toBe(400);
    const noContent = await client.call('POST', url, { body: form.replace('"content"', '"other"'), headers });
    expect([noContent.status, noContent.json.message]).toEqual([400, expect.stringContaining('content')]);
    expect((await client.read(repository, 'main', 'x.txt')).text).toBe('in a form');
  });

  it('are written only where nothing is, when so asked', async () => {
    const repository = await client.newRepository();
    const url = `${repository}/branches/main/objects?path=once`;
    const asks = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        client.call('POST', url, { body: `${n}`, headers: { 'if-none-match': '*' } }),
      ),
    );
    expect(asks.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(412)]);
    expect(asks.find(({ status }) => status === 412)?.json).toEqual({ message: 'path already exists' });
    await client.commit(repository, 'once');
    expect((await client.call('POST', url, { body: 'x', headers: { 'if-none-match': '*' } })).status).toBe(412);
    await client.call('DELETE', `${repository}/branches/main/objects?path=once`);
    expect((await client.call('POST', url, { body: 'again', headers: { 'if-none-match': '*' } })).status).toBe(201);
    expect((await client.call('POST', url, { body: 'x', headers: { 'if-none-match': '"etag"' } })).status).toBe(501);
    expect((await client.call('POST', url, { body: 'x', headers: { 'if-match': '*' } })).status).toBe(501);
  });

  it('are deleted singly and many at once; what is not there counts as deleted', async () => {
    const repository = await client.newRepository();
    for (const path of ['a', 'b', 'c']) await client.put(repository, path, path);
    await client.commit(repository, 'three');
    await client.put(repository, 'd', 'd');
    expect((await client.call('DELETE', `${repository}/branches/main/objects?path=none`)).status).toBe(204);
    const many = await client.call('POST', `${repository}/branches/main/objects/delete`, {
      body: { paths: ['a', 'd', 'none', 'x'.repeat(1025)] },
    });
    expect(many.json.errors).toEqual([{ status_code: 400, message: expect.any(String), path: 'x'.repeat(1025) }]);
    expect(await client.paths(repository, 'main')).toEqual(['b', 'c']);
    const tooMany = { paths: Array.from({ length: 1001 }, (_, n) => `${n}`) };
    expect((await client.call('POST', `${repository}/branches/main/objects/delete`, { body: tooMany })).status).toBe(
      400,
    );
  });

  it('are copied with their bytes, and told new metadata', async () => {
    const repository = await client.newRepository();
    const source = (await client.put(repository, 'a', 'bytes')).json;
    const url = `${repository}/branches/main/objects`;
    const copy = (await client.call('POST', `${url}/copy?dest_path=b`, { body: { src_path: 'a' } })).json;
    expect(copy).toMatchObject({ path: 'b', checksum: source.checksum, size_bytes: 5 });
    expect(copy.physical_address).not.toBe(source.physical_address);
    expect((await client.read(repository, 'main', 'b')).text).toBe('bytes');
    const set = { k: 'v' };
    expect((await client.call('PUT', `${url}/stat/user_metadata?path=b`, { body: { set } })).status).toBe(204);
    expect((await client.call('GET', `${repository}/refs/main/objects/stat?path=b`)).json.metadata).toEqual(set);
    expect((await client.call('POST', `${url}/copy?dest_path=c`, { body: { src_path: 'none' } })).status).toBe(404);
  });

  it('keep what is uploaded while they are told new metadata', async () => {
    const repository = await client.newRepository();
    const url = `${repository}/branches/main/objects/stat/user_metadata?path=a`;
    for (let round = 0; round < 30; round += 1) {
      await client.put(repository, 'a', 'old');
      const told = Array.from({ length: 8 }, (_, k) => client.call('PUT', url, { body: { set: { k: String(k) } } }));
      const put = client.put(repository, 'a', `new ${round}`);
      expect((await put).status).toBe(201);
      for (const { status } of await Promise.all(told)) expect(status).toBe(204);
      expect((await client.read(repository, 'main', 'a')).text).toBe(`new ${round}`);
    }
  });

  it('have metadata in any script, as UTF-8 in their headers', async () => {
    const repository = await client.newRepository();
    const headers = { 'x-lakefs-meta-target': Buffer.from('größe').toString('latin1') };
    await client.call('POST', `${repository}/branches/main/objects?path=a`, { body: 'x', headers });
    const { json } = await client.call('GET', `${repository}/refs/main/objects/stat?path=a`);
    expect(json.metadata).toEqual({ target: 'größe' });
  });

  it('have no time that other clients could not read', async () => {
    const repository = await client.newRepository();
    const { physical_address } = (await client.put(repository, 'a', 'x')).json;
    const milliseconds = 1_763_941_200_123;
    const stage = { physical_address, checksum: 'c', size_bytes: 1, mtime: milliseconds };
    const staged = await client.call('PUT', `${repository}/branches/main/objects?path=b`, { body: stage });
    expect([staged.status, staged.json.message]).toEqual([400, expect.stringContaining('mtime')]);
    expect((await client.commit(repository, 'late', { date: milliseconds })).status).toBe(400);
  });

  it('are put past the API: an address, the bytes by a signed URL, then the link', async () => {
    const repository = await client.newRepository();
    const url = `${repository}/branches/main/staging/backing?path=big`;
    const { physical_address, presigned_url } = (await client.call('GET', `${url}&presign=true`)).json;
    expect(physical_address).toMatch(/^local:\/\/repo-\d+\/data\/[0-9a-v]{20}\/[0-9a-v]{20},[\w-]+$/);
    const link = { staging: { physical_address }, checksum: '"e1a5d6"', size_bytes: 8 };
    expect((await client.call('PUT', url, { body: link })).status).toBe(400);
    const { pathname, search } = new URL(presigned_url);
    const bytes = await client.service.inject({ method: 'PUT', url: pathname + search, payload: 'the data' });
    expect([bytes.statusCode, bytes.headers.etag]).toEqual([200, expect.stringMatching(/^"[0-9a-f]{32}"$/)]);
    expect((await client.call('PUT', url, { body: { ...link, size_bytes: 9 } })).status).toBe(400);
    const elsewhere = await client.call('PUT', url.replace('path=big', 'path=other'), { body: link });
    expect(elsewhere.status).toBe(400);
    expect((await client.call('PUT', url, { body: link })).json).toMatchObject({ path: 'big', checksum: 'e1a5d6' });
    const again = await client.service.inject({ method: 'PUT', url: pathname + search, payload: 'other' });
    expect(again.statusCode).toBe(409);
    expect((await client.read(repository, 'main', 'big')).text).toBe('the data');
    const redirect = await client.call('GET', `${repository}/refs/main/objects?path=big&presign=true`);
    expect(redirect.status).toBe(302);
    const target = new URL(redirect.headers.location as string);
    const got = await client.service.inject({ method: 'GET', url: target.pathname + target.search });
    expect([got.statusCode, got.body, got.headers['x-content-type-options']]).toEqual([200, 'the data', 'nosniff']);
    const forged = target.pathname.replace(/[0-9a-v]$/, 'w') + target.search;
    expect((await client.service.inject({ method: 'GET', url: forged })).statusCode).toBe(403);
  });

  it.each([
    ['in another repository', (address: string) => address.replace(/repo-\d+/, 'repo-1')],
    ['of the machine', () => 'file:///etc/passwd'],
    ['that climbs', (address: string) => `${address}/../../../../etc`],
    ['in the cloud', () => 'http://169.254.169.254/latest'],
  ])('cannot be linked to an address %s', async (_what, change) => {
    const repository = await client.newRepository();
    const { physical_address } = (await client.put(repository, 'own', 'bytes')).json;
    const body = { physical_address: change(physical_address), checksum: 'c', size_bytes: 5 };
    const refused = await client.call('PUT', `${repository}/branches/main/objects?path=linked`, { body });
    expect([refused.status, typeof refused.json.message]).toEqual([400, 'string']);
    expect(await client.paths(repository, 'main')).toEqual(['own']);
  });

  it('may have odd names, which are names and nothing else', async () => {
    const repository = await client.newRepository();
    const odd = ['../../etc/passwd', '/absolute', '..\\..\\x', '%2e%2e%2f', 'a#b?c;d', 'a//b', ' ', 'name/', '😀'];
    for (const path of odd) expect((await client.put(repository, path, path)).status).toBe(201);
    await client.commit(repository, 'odd');
    for (const path of odd) expect((await client.read(repository, 'main', path)).text).toBe(path);
    expect((await client.call('GET', `${repository}/refs/main/objects?path=a%00b`)).status).toBe(400);
    expect((await client.put(repository, 'x'.repeat(1025), 'x')).status).toBe(400);
    expect((await client.call('GET', `${repository}/refs/main/objects?path=`)).status).toBe(400);
  });
});
