import { LakefsClient } from './lakefs-client';

let client: LakefsClient;
beforeAll(async () => {
  client = await LakefsClient.start();
});
afterAll(() => client.stop());

const ids = (answer: { json: { results: { id: string }[] } }) => answer.json.results.map(({ id }) => id);
const differences = (answer: { json: { results: { type: string; path: string }[] } }) =>
  answer.json.results.map(({ type, path }) => `${type} ${path}`);

describe('branches', () => {
  it('begin at any ref, are listed, deleted, and made again without what was staged', async () => {
    const repository = await client.newRepository();
    const first = await client.commitFiles(repository, { a: '1' });
    const second = await client.commitFiles(repository, { a: '2' });
    const made = await client.branchOff(repository, 'dev', 'main~1');
    expect([made.status, made.text, made.headers['content-type']]).toEqual([201, first, 'text/html']);
    expect((await client.call('GET', `${repository}/branches/dev`)).json).toEqual({ id: 'dev', commit_id: first });
    await client.put(repository, 'b', 'staged', 'dev');
    expect(await client.paths(repository, 'dev')).toEqual(['a', 'b']);
    await client.branchOff(repository, 'from-dev', 'dev');
    expect(await client.paths(repository, 'from-dev')).toEqual(['a']);
    expect(ids(await client.call('GET', `${repository}/branches`))).toEqual(['dev', 'from-dev', 'main']);
    expect((await client.call('DELETE', `${repository}/branches/dev`)).status).toBe(204);
    expect((await client.call('GET', `${repository}/branches/dev`)).json).toEqual({ message: 'branch not found' });
    expect((await client.put(repository, 'c', 'x', 'dev')).status).toBe(404);
    await client.branchOff(repository, 'dev', second);
    expect(await client.contents(repository, 'dev')).toEqual({ a: '2' });
  });

  it('and tags share their names with one another and with commits', async () => {
    const repository = await client.newRepository();
    const id = await client.commitFiles(repository, { a: '1' });
    const tag = await client.call('POST', `${repository}/tags`, { body: { id: 'v1', ref: 'main' } });
    expect([tag.status, tag.json]).toEqual([201, { id: 'v1', commit_id: id }]);
    expect((await client.branchOff(repository, 'v1')).status).toBe(409);
    expect((await client.branchOff(repository, 'main')).status).toBe(409);
    expect((await client.branchOff(repository, id)).status).toBe(409);
    for (const name of ['v1', 'main', id]) {
      expect((await client.call('POST', `${repository}/tags`, { body: { id: name, ref: 'main' } })).status).toBe(409);
    }
    await client.commitFiles(repository, { a: '2' });
    expect((await client.read(repository, 'v1', 'a')).text).toBe('1');
    expect((await client.call('DELETE', `${repository}/tags/v1`)).status).toBe(204);
    expect((await client.call('GET', `${repository}/tags/v1`)).status).toBe(404);
    expect((await client.branchOff(repository, 'v1')).status).toBe(201);
  });

  it.each(['', 'a.b', 'a/b', 'a b', '-a', 'é', 'a'.repeat(256)])('are not named %p', async (name) => {
    const repository = await client.newRepository();
    expect((await client.branchOff(repository, name)).status).toBe(400);
  });

  it.each(['', '@', 'a.', 'a.lock', 'a..b', 'a/b', 'a@{b', 'a^b', 'a b', 'a*', 'a[b'])(
    'no tag is named %p',
    async (id) => {
      const repository = await client.newRepository();
      expect((await client.call('POST', `${repository}/tags`, { body: { id, ref: 'main' } })).status).toBe(400);
    },
  );

  it('hide themselves when asked', async () => {
    const repository = await client.newRepository();
    await client.call('POST', `${repository}/branches`, { body: { name: 'tx-1', source: 'main', hidden: true } });
    expect(ids(await client.call('GET', `${repository}/branches`))).toEqual(['main']);
    expect(ids(await client.call('GET', `${repository}/branches?show_hidden=true`))).toEqual(['main', 'tx-1']);
    expect((await client.put(repository, 'a', '1', 'tx-1')).status).toBe(201);
  });

  it('by default cannot be deleted', async () => {
    const repository = await client.newRepository();
    const refused = await client.call('DELETE', `${repository}/branches/main`);
    expect([refused.status, refused.json.message]).toEqual([403, 'cannot delete repository default branch']);
  });

  it('that a rule protects take no direct change, but merges', async () => {
    const repository = await client.newRepository();
    await client.branchOff(repository, 'dev');
    const rules = `${repository}/settings/branch_protection`;
    expect((await client.call('PUT', rules, { body: [{ pattern: 'ma*' }] })).status).toBe(204);
    const { json, headers } = await client.call('GET', rules);
    expect(json).toEqual([{ pattern: 'ma*' }]);
    const refused = await client.put(repository, 'a', '1');
    expect([refused.status, refused.json.message]).toEqual([403, 'cannot write to protected branch']);
    expect((await client.commit(repository, 'x', { allow_empty: true })).json.message).toBe(
      'cannot commit to protected branch',
    );
    await client.commitFiles(repository, { a: '1' }, 'dev');
    expect((await client.merge(repository, 'dev', 'main')).status).toBe(200);
    const stale = { body: [], headers: { 'if-match': '"0000"' } };
    expect((await client.call('PUT', rules, stale)).status).toBe(412);
    const current = { body: [], headers: { 'if-match': String(headers.etag) } };
    expect((await client.call('PUT', rules, current)).status).toBe(204);
    expect((await client.put(repository, 'a', '2')).status).toBe(201);
  });

  it('are reset, softly and hard', async () => {
    const repository = await client.newRepository();
    const first = await client.commitFiles(repository, { a: '1', 'd/x': '1' });
    await client.commitFiles(repository, { a: '2' });
    const reset = (body: object) => client.call('PUT', `${repository}/branches/main`, { body });
    for (const path of ['a', 'b', 'd/x', 'd/y']) await client.put(repository, path, 'staged');
    expect((await client.call('PUT', `${repository}/branches/main/hard_reset?ref=${first}`)).json.message).toBe(
      'uncommitted changes (dirty branch)',
    );
    expect((await reset({ type: 'object', path: 'a' })).status).toBe(204);
    expect((await reset({ type: 'object', path: 'never-staged' })).status).toBe(204);
    expect(await client.contents(repository, 'main')).toEqual({
      a: '2',
      b: 'staged',
      'd/x': 'staged',
      'd/y': 'staged',
    });
    expect((await reset({ type: 'common_prefix', path: 'd/' })).status).toBe(204);
    expect(await client.contents(repository, 'main')).toEqual({ a: '2', b: 'staged', 'd/x': '1' });
    expect((await reset({ type: 'reset' })).status).toBe(204);
    expect((await client.call('PUT', `${repository}/branches/main/hard_reset?ref=${first}`)).status).toBe(204);
    expect(await client.contents(repository, 'main')).toEqual({ a: '1', 'd/x': '1' });
    expect((await reset({ type: 'everything' })).status).toBe(400);
  });
});

describe('commits', () => {
  it('hold what was staged, and who made them when and why', async () => {
    const repository = await client.newRepository();
    const root = ids(await client.call('GET', `${repository}/refs/main/commits`))[0];
    await client.put(repository, 'a', '1');
    const made = await client.commit(repository, 'why', { metadata: { k: 'v' }, date: 1_600_000_000 });
    expect([made.status, made.json]).toEqual([
      201,
      {
        id: expect.stringMatching(/^[0-9a-f]{64}$/),
        parents: [root],
        committer: 'user:local',
        message: 'why',
        creation_date: 1_600_000_000,
        meta_range_id: expect.stringMatching(/^[0-9a-f]{64}$/),
        metadata: { k: 'v' },
        generation: 2,
        version: 1,
      },
    ]);
    for (const ref of ['main', made.json.id, made.json.id.slice(0, 8)]) {
      expect((await client.call('GET', `${repository}/commits/${ref}`)).json).toEqual(made.json);
    }
    expect((await client.call('GET', `${repository}/commits/main$`)).status).toBe(400);
    expect((await client.call('GET', `${repository}/commits/main%5E2`)).status).toBe(400);
    expect((await client.call('GET', `${repository}/commits/main~9`)).status).toBe(404);
    expect((await client.call('GET', `${repository}/commits/nothing`)).status).toBe(404);
  });

  it('are not made of nothing, and equal content is nothing', async () => {
    const repository = await client.newRepository();
    await client.commitFiles(repository, { a: '1' });
    const nothing = await client.commit(repository, 'nothing');
    expect([nothing.status, nothing.json]).toEqual([400, { message: 'commit: no changes' }]);
    await client.put(repository, 'a', '1');
    await client.put(repository, 'b', '1');
    await client.remove(repository, 'b');
    expect((await client.commit(repository, 'nothing')).status).toBe(400);
    expect((await client.call('GET', `${repository}/branches/main/diff`)).json.results).toEqual([]);
    expect((await client.commit(repository, 'empty', { allow_empty: true })).status).toBe(201);
  });

  it('made at once on one branch lose nothing, neither what is committed nor what is staged meanwhile', async () => {
    const repository = await client.newRepository();
    const names = Array.from({ length: 60 }, (_, n) => `object-${n}`);
    const writers = names.map((name) => client.put(repository, name, name));
    const commits = Array.from({ length: 10 }, (_, n) => client.commit(repository, `commit ${n}`));
    const statuses = (await Promise.all(commits)).map(({ status }) => status);
    expect(statuses.every((status) => status === 201 || status === 400)).toBe(true);
    for (const { status } of await Promise.all(writers)) expect(status).toBe(201);
    await client.commit(repository, 'the rest', { allow_empty: true });
    expect((await client.paths(repository, 'main@', 'amount=1000')).sort()).toEqual([...names].sort());
    const log = (await client.call('GET', `${repository}/refs/main/commits?amount=1000`)).json.results;
    expect(log.map(({ generation }: { generation: number }) => generation)).toEqual(
      log.map((_: unknown, at: number) => log.length - at),
    );
  });

  it('are told newest first, in pages, by path, by time, up to one', async () => {
    const repository = await client.newRepository();
    const log = async (query: string) => ids(await client.call('GET', `${repository}/refs/main/commits?${query}`));
    const one = await client.commitFiles(repository, { 'd/a': '1' });
    const two = await client.commitFiles(repository, { b: '1' });
    const three = await client.commitFiles(repository, { 'd/a': null });
    const [, , , root] = await log('');
    expect(await log('')).toEqual([three, two, one, root]);
    expect(await log(`amount=2&after=${three}`)).toEqual([two, one]);
    expect(await log('objects=d/a')).toEqual([three, one]);
    expect(await log('prefixes=d/&objects=b')).toEqual([three, two, one]);
    expect(await log(`stop_at=${two}`)).toEqual([three, two]);
    expect(await log('since=2100-01-01T00:00:00Z')).toEqual([]);
    // As lakeFS' own Python client writes every time: the offset has no colon.
    expect(await log('since=2100-01-01T00:00:00.000000%2B0000')).toEqual([]);
    expect(await log('since=2000-01-01T02:30:00.000000%2B0230&amount=1')).toEqual([three]);
    const anywhere = await client.call('GET', `${repository}/refs/main/commits?since=2000-01-01T00:00:00`);
    expect(anywhere).toMatchObject({ status: 400, json: { message: expect.stringContaining('with its offset') } });
    expect(await log('first_parent=true&amount=1')).toEqual([three]);
    const page = await client.call('GET', `${repository}/refs/main/commits?amount=1&limit=true`);
    expect(page.json.pagination.has_more).toBe(false);
  });
});

describe('merges', () => {
  async function parted(): Promise<string> {
    const repository = await client.newRepository();
    await client.commitFiles(repository, { both: '0', ours: '0', theirs: '0', 'gone-ours': '0', 'gone-theirs': '0' });
    await client.branchOff(repository, 'dev');
    return repository;
  }

  it('bring in what the other side changed, by a commit of two parents', async () => {
    const repository = await parted();
    const theirs = await client.commitFiles(repository, { theirs: '1', 'gone-theirs': null, new: '1' }, 'dev');
    const ours = await client.commitFiles(repository, { ours: '1', 'gone-ours': null });
    const base = (await client.call('GET', `${repository}/refs/dev/merge/main`)).json;
    expect(base).toEqual({
      source_commit_id: theirs,
      destination_commit_id: ours,
      base_commit_id: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const merged = await client.merge(repository, 'dev', 'main');
    expect(merged.status).toBe(200);
    expect(await client.contents(repository, 'main')).toEqual({ both: '0', ours: '1', theirs: '1', new: '1' });
    const commit = (await client.call('GET', `${repository}/commits/${merged.json.reference}`)).json;
    expect(commit).toMatchObject({
      parents: [ours, theirs],
      message: "Merge 'dev' into 'main'",
      metadata: { '.lakefs.merge.strategy': 'default' },
    });
    const again = await client.merge(repository, 'dev', 'main');
    expect([again.status, again.json]).toEqual([400, { message: 'merge: no changes' }]);
    expect((await client.call('GET', `${repository}/refs/dev/merge/main`)).json.base_commit_id).toBe(theirs);
  });

  it('stop at a conflict with nothing written, unless a strategy decides', async () => {
    const repository = await parted();
    await client.commitFiles(repository, { both: 'theirs', new: '1' }, 'dev');
    const ours = await client.commitFiles(repository, { both: 'ours' });
    const conflict = await client.merge(repository, 'dev', 'main');
    expect([conflict.status, conflict.json]).toEqual([409, { reference: '' }]);
    expect((await client.call('GET', `${repository}/branches/main`)).json.commit_id).toBe(ours);
    await client.branchOff(repository, 'second');
    expect((await client.merge(repository, 'dev', 'main', { strategy: 'source-wins' })).status).toBe(200);
    expect(await client.contents(repository, 'main')).toMatchObject({ both: 'theirs', new: '1' });
    expect((await client.merge(repository, 'dev', 'second', { strategy: 'dest-wins' })).status).toBe(200);
    expect(await client.contents(repository, 'second')).toMatchObject({ both: 'ours', new: '1' });
    expect((await client.merge(repository, 'dev', 'main', { strategy: 'whoever' })).status).toBe(400);
  });

  it('want a clean destination, and squash on demand', async () => {
    const repository = await parted();
    await client.commitFiles(repository, { theirs: '1' }, 'dev');
    await client.put(repository, 'staged', '1');
    const dirty = await client.merge(repository, 'dev', 'main');
    expect([dirty.status, dirty.json.message]).toEqual([400, 'uncommitted changes (dirty branch)']);
    await client.remove(repository, 'staged');
    const { reference } = (await client.merge(repository, 'dev', 'main', { squash_merge: true, message: 'm' })).json;
    const commit = (await client.call('GET', `${repository}/commits/${reference}`)).json;
    expect([commit.parents.length, commit.message]).toEqual([1, 'm']);
  });

  it('of many branches into one at once all come in', async () => {
    const repository = await client.newRepository();
    const names = Array.from({ length: 20 }, (_, n) => `feature-${n}`);
    for (const name of names) {
      await client.branchOff(repository, name);
      await client.commitFiles(repository, { [name]: name }, name);
    }
    const merges = await Promise.all(names.map((name) => client.merge(repository, name, 'main')));
    expect(merges.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect((await client.paths(repository, 'main')).sort()).toEqual([...names].sort());
  });

  it('go backwards: a revert undoes one commit and keeps what came after', async () => {
    const repository = await client.newRepository();
    await client.commitFiles(repository, { a: '1', b: '1' });
    const middle = await client.commitFiles(repository, { a: '2', c: '2' });
    await client.commitFiles(repository, { b: '3' });
    const revert = (ref: string, parent_number = 0) =>
      client.call('POST', `${repository}/branches/main/revert`, { body: { ref, parent_number } });
    expect((await revert(middle)).status).toBe(204);
    expect(await client.contents(repository, 'main')).toEqual({ a: '1', b: '3' });
    expect((await client.call('GET', `${repository}/commits/main`)).json.message).toBe(`Revert ${middle}`);
    expect((await revert(middle)).status).toBe(400);
    expect((await client.call('POST', `${repository}/branches/main/revert`, { body: { ref: middle } })).status).toBe(
      400,
    );
    await client.commitFiles(repository, { a: '4' });
    expect((await revert(middle)).status).toBe(409);
  });

  it('of a single commit are cherry-picks', async () => {
    const repository = await parted();
    await client.commitFiles(repository, { theirs: '1' }, 'dev');
    const picked = await client.commitFiles(repository, { new: '1' }, 'dev');
    const url = `${repository}/branches/main/cherry-pick`;
    const made = await client.call('POST', url, { body: { ref: 'dev' } });
    expect([made.status, made.json.metadata, made.json.message]).toEqual([
      201,
      { 'cherry-pick-origin': picked, 'cherry-pick-committer': 'user:local' },
      'files new',
    ]);
    expect(await client.contents(repository, 'main')).toMatchObject({ theirs: '0', new: '1' });
    expect((await client.call('POST', url, { body: { ref: 'dev' } })).status).toBe(400);
    await client.merge(repository, 'dev', 'main');
    await client.branchOff(repository, 'third', 'dev~2');
    const ofMerge = `${repository}/branches/third/cherry-pick`;
    expect((await client.call('POST', ofMerge, { body: { ref: 'main' } })).status).toBe(400);
    expect((await client.call('POST', ofMerge, { body: { ref: 'main', parent_number: 3 } })).status).toBe(400);
    expect((await client.call('POST', ofMerge, { body: { ref: 'main', parent_number: 1 } })).status).toBe(201);
    expect(await client.contents(repository, 'third')).toMatchObject({ theirs: '1' });
  });
});

describe('diffs', () => {
  it('tell what is staged', async () => {
    const repository = await client.newRepository();
    await client.commitFiles(repository, { a: '1', b: '1', 'd/x': '1', 'd/y': '1' });
    await client.put(repository, 'a', '22');
    await client.put(repository, 'd/z', '333');
    await client.remove(repository, 'd/x');
    const diff = await client.call('GET', `${repository}/branches/main/diff`);
    expect(diff.json.results).toEqual([
      { type: 'changed', path: 'a', path_type: 'object', size_bytes: 2 },
      { type: 'removed', path: 'd/x', path_type: 'object', size_bytes: 0 },
      { type: 'added', path: 'd/z', path_type: 'object', size_bytes: 3 },
    ]);
    const gathered = await client.call('GET', `${repository}/branches/main/diff?delimiter=/`);
    expect(differences(gathered)).toEqual(['changed a', 'prefix_changed d/']);
    const page = await client.call('GET', `${repository}/branches/main/diff?amount=1&after=a&prefix=d/`);
    expect([differences(page), page.json.pagination.next_offset]).toEqual([['removed d/x'], 'd/x']);
  });

  it('tell two refs apart, plainly or since they parted', async () => {
    const repository = await client.newRepository();
    await client.commitFiles(repository, { a: '1', b: '1', c: '1' });
    await client.branchOff(repository, 'dev');
    await client.commitFiles(repository, { a: 'main', b: 'main', m: '1' });
    await client.commitFiles(repository, { b: 'dev', c: null, n: '1' }, 'dev');
    const diff = async (query: string, right = 'dev') =>
      differences(await client.call('GET', `${repository}/refs/main/diff/${right}?${query}`));
    expect(await diff('type=two_dot')).toEqual(['changed a', 'changed b', 'removed c', 'removed m', 'added n']);
    expect(await diff('')).toEqual(['conflict b', 'removed c', 'added n']);
    await client.put(repository, 's', 'staged', 'dev');
    await client.put(repository, 'a', 'main', 'dev');
    expect(await diff('type=two_dot', 'dev$')).toEqual(['changed b', 'removed c', 'removed m', 'added n', 'added s']);
    const stats = await client.call('GET', `${repository}/refs/main/diff/dev?include_right_stats=true&prefix=n`);
    expect(stats.json.results[0].right).toMatchObject({ content_type: 'text/csv', metadata: {} });
  });
});

describe('answers', () => {
  it.each([
    ['GET', '/repo-1/nothing', 404],
    ['GET', '/no-such/branches', 404],
    ['GET', '/repo-1/branches?amount=1001', 400],
    ['GET', '/repo-1/branches?amount=many', 400],
    ['GET', '/repo-1/refs/main/objects', 400],
    ['GET', '/repo-1/refs/%5E/commits', 400],
    ['POST', '/repo-1/branches/main/import', 403],
    ['POST', '/repo-1/branches/main/staging/pmpu?path=x', 501],
    ['GET', '/repo-1/settings/gc_rules', 501],
  ] as const)('to %s %s have the form of the API: %d', async (method, url, status) => {
    const answer = await client.call(method, url, method === 'POST' ? { body: {} } : {});
    expect([answer.status, typeof answer.json.message]).toEqual([status, 'string']);
  });

  it('to an unknown path say so in lakeFS’ words', async () => {
    expect((await client.call('GET', '/repo-1/nothing')).json).toEqual({ message: 'invalid API endpoint' });
    expect((await client.call('GET', '/repo-1/pulls')).json).toEqual({ message: 'Not Implemented' });
  });

  it('to hostile JSON are refusals', async () => {
    const send = (text: string) =>
      client.call('POST', '', { body: text, headers: { 'content-type': 'application/json' } });
    const fields = '"name":"hostile","storage_namespace":"local://h"';
    for (const text of [`{${fields},"__proto__":{}}`, `{${fields},"name":"twice"}`, '['.repeat(10_000), '{', '""']) {
      expect((await send(text)).status).toBe(400);
    }
    expect((await client.call('GET', '/hostile')).status).toBe(404);
  });
});
