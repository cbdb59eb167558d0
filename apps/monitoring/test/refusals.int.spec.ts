import { eventually, type TestKey } from '@mledger/service-kit/testing';
import { MonitoringWorld, normal } from './monitoring-world';

let world: MonitoringWorld;
let keys: Record<'reader' | 'contributor' | 'deployer' | 'foreign', TestKey>;
beforeAll(async () => {
  world = await MonitoringWorld.start({ env: { MLEDGER_AUTH: 'keys' } });
  const access = world.kit.access!;
  await access.createTenant('acme');
  keys = {
    reader: await access.issueKey({ roles: ['reader'] }),
    contributor: await access.issueKey({ roles: ['contributor'] }),
    deployer: await access.issueKey({ roles: ['deployer'] }),
    foreign: await access.issueKey({ tenant: 'acme', roles: ['admin'] }),
  };
  for (const who of Object.keys(keys) as (keyof typeof keys)[]) {
    await eventually(async () => expect((await call(who, 'GET', 'monitors')).status).toBe(200));
  }
});
afterAll(() => world?.stop());

const call = (
  who: keyof typeof keys,
  method: 'GET' | 'PUT' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) => world.call(method, path, body, { authorization: keys[who].authorization, ...headers });

const temp = normal(100);
const reference = { repository: 'r', commit: 'c', paths: ['p'], columns: { temp } };
const feature = { feature: 'temp', kind: 'numeric' };
const body = (change: object = {}) => ({ endpoint: 'e', windowRows: 100, reference, features: [feature], ...change });
const withColumns = (columns: object) => body({ reference: { ...reference, columns } });
const withFeature = (change: object) => body({ features: [{ ...feature, ...change }] });

describe('a monitor is refused', () => {
  it.each([
    ['without an endpoint', body({ endpoint: undefined }), 'endpoint'],
    ['with an endpoint that is a path', body({ endpoint: '../e' }), 'endpoint'],
    ['with a window of no rows', body({ windowRows: 0 }), 'windowRows'],
    ['with a window past memory', body({ windowRows: 2 ** 40 }), 'windowRows'],
    ['with half a row', body({ windowRows: 99.5 }), 'windowRows'],
    ['without features', body({ features: [] }), 'features'],
    ['with a feature twice', body({ features: [feature, feature] }), 'temp stands twice'],
    [
      'with more features than any model',
      body({ features: Array.from({ length: 201 }, (_, i) => ({ ...feature, feature: `f${i}` })) }),
      'features',
    ],
    ['with another kind', withFeature({ kind: 'ordinal' }), 'kind'],
    ['with another method', withFeature({ method: 'mmd' }), 'method'],
    [
      'with a method for numbers on categories',
      withFeature({ kind: 'categorical', method: 'ks' }),
      'ks does not compare categorical',
    ],
    ['with bins for a method that has none', withFeature({ method: 'ks', bins: 10 }), 'takes no bins'],
    ['with bins past reason', withFeature({ method: 'psi', bins: 1e9 }), 'bins'],
    ['with a p-value above one', withFeature({ method: 'ks', threshold: 1.5 }), 'below 1'],
    ['with a negative threshold', withFeature({ threshold: -1 }), 'threshold'],
    ['with a share above one', body({ driftShare: 1.1 }), 'driftShare'],
    ['with another metric', body({ performance: { metric: 'f1', atLeast: 0.5 } }), 'performance'],
    ['with a field that it has not', body({ schedule: '* * * * *' }), 'schedule'],
    ['with a reference of few payloads', body({ reference: { payloads: { rows: 1 } } }), 'payloads.rows: '],
    ['with a reference of neither kind', body({ reference: {} }), 'or {payloads: {rows}}'],
    ['without a reference', body({ reference: undefined }), 'reference'],
    ['with a reference of both kinds', body({ reference: { ...reference, payloads: { rows: 100 } } }), 'reference'],
    ['without the column of a feature', withColumns({}), 'temp is missing'],
    ['with a column of no feature', withColumns({ temp, humid: temp }), 'humid is not among the features'],
    [
      'with a truncated column',
      { ...withColumns({ temp, humid: temp.slice(1) }), features: [feature, { feature: 'humid', kind: 'numeric' }] },
      'humid has 99 rows, temp has 100',
    ],
    ['with text among numbers', withColumns({ temp: [1, 'two', 3] }), 'row 1 holds'],
    ['with a column that is none', withColumns({ temp: { 0: 1 } }), 'columns.temp: must be an array'],
    ['with nested values', withColumns({ temp: [[1], [2]] }), 'columns.temp: must be an array'],
    ['with a column without values', withColumns({ temp: [null, null] }), 'temp has no values'],
    ['with an empty column', withColumns({ temp: [] }), 'temp has no values'],
    ['with numbers whose squares overflow', withColumns({ temp: [1e200, 2] }), 'columns.temp: must be an array'],
    ['with more rows than fit', withColumns({ temp: Array<number>(50_001).fill(1) }), 'over the limit'],
  ])('%s', async (_what, wrong, detail) => {
    const { status, body: problem } = await call('deployer', 'PUT', 'monitors/wrong', wrong);
    expect(status).toBe(400);
    expect(problem).toMatchObject({ status: 400, detail: expect.stringContaining(detail) });
    expect((await call('reader', 'GET', 'monitors/wrong')).status).toBe(404);
  });

  it('over the limit of a body, before it is read', async () => {
    const huge = withColumns({ temp: Array<number>(1_200_000).fill(1.23456) });
    expect((await call('deployer', 'PUT', 'monitors/wrong', huge)).status).toBe(413);
  });

  it('under a name that is none', async () => {
    for (const name of ['..%2F..%2Fetc', '%00', 'a%20b', 'x'.repeat(200)]) {
      expect((await call('deployer', 'PUT', `monitors/${name}`, body())).status).toBe(400);
    }
  });

  it('when a version is named that it has not', async () => {
    const stale = { 'if-match': '"7"' };
    expect((await call('deployer', 'PUT', 'monitors/stale', body(), stale)).status).toBe(412);
    expect((await call('reader', 'GET', 'monitors/stale')).status).toBe(404);
    const objects = await world.kit.runtime.objectStore.list('default/monitoring/');
    expect(objects.objects).toEqual([]);
  });
});

describe('who may do what', () => {
  it('follows roles, and never another tenant', async () => {
    for (const who of ['reader', 'contributor'] as const) {
      expect((await call(who, 'PUT', 'monitors/mine', body())).status).toBe(403);
    }
    expect((await call('deployer', 'PUT', 'monitors/mine', body())).status).toBe(200);
    expect((await call('contributor', 'DELETE', 'monitors/mine')).status).toBe(403);
    for (const path of ['', '/windows', '/alerts']) {
      expect((await call('reader', 'GET', `monitors/mine${path}`)).status).toBe(200);
      expect((await call('foreign', 'GET', `monitors/mine${path}`)).status).toBe(404);
    }
    expect((await call('foreign', 'DELETE', 'monitors/mine')).status).toBe(404);
    expect((await call('foreign', 'GET', 'monitors')).body).toEqual({ monitors: [], next: null });
    expect((await world.call('GET', 'monitors')).status).toBe(401);
  });
});

describe('lists', () => {
  it('go on where a page ended, and refuse what they do not know', async () => {
    for (const name of ['b', 'a', 'c']) await call('deployer', 'PUT', `monitors/page-${name}`, body());
    const { body: first } = await call('reader', 'GET', 'monitors?limit=2&after=page');
    expect(first).toMatchObject({ monitors: [{ name: 'page-a' }, { name: 'page-b' }], next: 'page-b' });
    const { body: last } = await call('reader', 'GET', `monitors?limit=2&after=${first.next}`);
    expect(last).toMatchObject({ monitors: [{ name: 'page-c' }], next: null });
    for (const query of ['asOf=seq:1', 'limit=0', 'limit=1e9', 'after[]=x']) {
      expect((await call('reader', 'GET', `monitors?${query}`)).status).toBe(400);
      expect((await call('reader', 'GET', `monitors/page-a/windows?${query}`)).status).toBe(400);
      expect((await call('reader', 'GET', `monitors/page-a/alerts?${query}`)).status).toBe(400);
    }
    expect((await call('reader', 'GET', 'monitors/page-a?asOf=seq:1')).status).toBe(400);
  });
});
