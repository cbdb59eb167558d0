import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { startApi, type TestApi } from './mlflow-api';

let api: TestApi;
let experimentId: string;
let runId: string;
let root: string;
beforeAll(async () => {
  api = await startApi({ listen: true });
  experimentId = await api.newExperiment();
  runId = await api.newRun(experimentId);
  root = `${experimentId}/${runId}/artifacts`;
});
afterAll(() => api.stop());

const PROXY = '/api/2.0/mlflow-artifacts/artifacts';
const put = (path: string, payload: string | Buffer | Readable, headers: Record<string, string> = {}) =>
  api.inject({ method: 'PUT', url: `${PROXY}/${path}`, payload, headers: { 'content-type': 'text/html', ...headers } });
const get = (path: string, headers: Record<string, string> = {}) =>
  api.inject({ method: 'GET', url: `${PROXY}/${path}`, headers });
const list = async (path: string) => (await api.get(PROXY, { path })).body.files;
const storedEvents = async (id: string) =>
  (await api.service.log.store.readStream(`default/run:${id}`)).filter(({ type }) => type !== 'RunStarted');

describe('an artifact', () => {
  it('comes back as it went in, as nothing that a browser would run', async () => {
    const page = '<script>alert(1)</script>';
    expect((await put(`${root}/pages/ü 1%25.html`, page)).json()).toEqual({});
    const answer = await get(`${root}/pages/ü 1%25.html`);
    expect(answer.body).toBe(page);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': "attachment; filename*=UTF-8''%C3%BC%201%25.html",
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
      'content-length': String(page.length),
    });
    expect(
      (await api.inject({ method: 'GET', url: `/get-artifact?run_uuid=${runId}&path=pages/%C3%BC%201%25.html` })).body,
    ).toBe(page);
  });

  it('says its size to HEAD without being sent', async () => {
    await put(`${root}/big.bin`, Buffer.alloc(1000));
    const answer = await api.inject({ method: 'HEAD', url: `${PROXY}/${root}/big.bin` });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({ 'content-length': '1000', 'accept-ranges': 'bytes' });
    expect(answer.body).toBe('');
  });

  it('is in the log with its digest, under a key that no path is part of', async () => {
    const bytes = randomBytes(1000);
    const id = await api.newRun(experimentId);
    await put(`${experimentId}/${id}/artifacts/secret/plan.bin`, bytes);
    const [event] = await storedEvents(id);
    expect(event).toMatchObject({
      type: 'ArtifactStored',
      data: {
        runId: id,
        experimentId,
        path: 'secret/plan.bin',
        sizeBytes: 1000,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      },
    });
    const { objectKey } = event?.data as { objectKey: string };
    expect(objectKey).toMatch(new RegExp(`^default/experiments/${experimentId}/[0-9a-f]{2}/[0-9a-f-]{36}$`));
  });

  it('is replaced by a later one at its path', async () => {
    await put(`${root}/replaced.txt`, 'first');
    await put(`${root}/replaced.txt`, 'second');
    expect((await get(`${root}/replaced.txt`)).body).toBe('second');
    expect(await list(`${root}`)).toContainEqual({ path: 'replaced.txt', is_dir: false, file_size: 6 });
  });

  it('may be empty, and may come without a content type or a length', async () => {
    expect((await put(`${root}/empty`, '')).statusCode).toBe(200);
    expect((await get(`${root}/empty`)).body).toBe('');
    const chunks = await api.inject({
      method: 'PUT',
      url: `${PROXY}/${root}/chunks`,
      payload: Readable.from(['a', 'b']),
    });
    expect(chunks.statusCode).toBe(200);
    expect((await get(`${root}/chunks`)).body).toBe('ab');
    expect((await put(`${root}/json`, '{"not": "read"', { 'content-type': 'application/json' })).statusCode).toBe(200);
    expect((await get(`${root}/json`)).body).toBe('{"not": "read"');
  });

  it('is sent in part when a part is asked for', async () => {
    await put(`${root}/digits`, '0123456789');
    const part = await get(`${root}/digits`, { range: 'bytes=3-5' });
    expect([part.statusCode, part.body, part.headers['content-range']]).toEqual([206, '345', 'bytes 3-5/10']);
    expect((await get(`${root}/digits`, { range: 'bytes=8-' })).body).toBe('89');
    expect((await get(`${root}/digits`, { range: 'bytes=20-' })).statusCode).toBe(416);
    expect((await get(`${root}/digits`, { range: 'lines=1-2' })).body).toBe('0123456789');
  });

  it('whose upload breaks off leaves nothing', async () => {
    const id = await api.newRun(experimentId);
    const path = `${PROXY}/${experimentId}/${id}/artifacts/half.bin`;
    await new Promise<void>((resolve) => {
      const upload = request(`${api.url}${path}`, { method: 'PUT', headers: { 'content-length': 1_000_000 } });
      upload.on('error', () => resolve());
      upload.write(randomBytes(100_000), () => upload.destroy());
    });
    expect(await storedEvents(id)).toEqual([]);
    expect((await api.get('artifacts/list', { run_id: id })).body.files).toEqual([]);
    const { objects } = await api.runtime.objectStore.list(`default/experiments/${experimentId}/`);
    expect(objects.every(({ sizeBytes }) => sizeBytes < 100_000)).toBe(true);
  });
});

describe('a listing', () => {
  it('shows folders and files, from the proxy by name and from the run by path', async () => {
    const id = await api.newRun(experimentId);
    const base = `${experimentId}/${id}/artifacts`;
    for (const path of ['a.txt', 'model/MLmodel', 'model/data/x.bin', 'model/data/y.bin'])
      await put(`${base}/${path}`, 'xyz');
    expect(await list(base)).toEqual([
      { path: 'a.txt', is_dir: false, file_size: 3 },
      { path: 'model', is_dir: true },
    ]);
    expect(await list(`${base}/model/`)).toEqual([
      { path: 'MLmodel', is_dir: false, file_size: 3 },
      { path: 'data', is_dir: true },
    ]);
    expect(await list(`${base}/a.txt`)).toEqual([]);
    expect(await list(`${base}/nothing`)).toEqual([]);
    expect(await list('')).toEqual([]);
    expect((await api.get('artifacts/list', { run_id: id, path: 'model/data' })).body).toEqual({
      root_uri: `mlflow-artifacts:/${base}`,
      files: [
        { path: 'model/data/x.bin', is_dir: false, file_size: 3 },
        { path: 'model/data/y.bin', is_dir: false, file_size: 3 },
      ],
    });
  });

  it('never holds a file and a folder of one name', async () => {
    await put(`${root}/taken/below`, 'x');
    expect((await put(`${root}/taken`, 'x')).json()).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' });
    expect((await put(`${root}/taken/below/deeper`, 'x')).statusCode).toBe(400);
  });
});

describe('a deletion', () => {
  it('takes a file or a folder off the list, and its bytes', async () => {
    const id = await api.newRun(experimentId);
    const base = `${experimentId}/${id}/artifacts`;
    for (const path of ['a', 'folder/b', 'folder/c', 'folders']) await put(`${base}/${path}`, 'x');
    const keys = (await storedEvents(id)).map(({ data }) => (data as { objectKey: string }).objectKey);
    const remove = (path: string) => api.delete(`${PROXY}/${base}/${path}`);
    expect((await remove('folder')).status).toBe(200);
    expect(await list(base)).toEqual([
      { path: 'a', is_dir: false, file_size: 1 },
      { path: 'folders', is_dir: false, file_size: 1 },
    ]);
    expect((await remove('folder')).status).toBe(404);
    await expect(api.runtime.objectStore.head(keys[1] ?? '')).rejects.toMatchObject({ code: 'not-found' });
    await expect(api.runtime.objectStore.head(keys[0] ?? '')).resolves.toBeDefined();
  });
});

describe('hostile paths', () => {
  const HOSTILE = [
    '../../etc/passwd',
    '..%2F..%2Fetc%2Fpasswd',
    '%2E%2E%2F%2E%2E%2Fetc/passwd',
    '%252E%252E%252Fetc/passwd',
    'a/..%5C..%5Cb',
    'a%5Cb',
    'a;..%2Fb',
    '%2Fetc%2Fpasswd',
    'C:%2Fwindows',
    'a%23b',
    'a%3Fb',
    'a%00b',
    'a%0Ab',
    'a%2F%2Fb',
    'x'.repeat(1100),
  ];

  it.each(HOSTILE)('case %# is refused on get, put and delete, and nothing is stored', async (path) => {
    const id = await api.newRun(experimentId);
    const url = `${PROXY}/${experimentId}/${id}/artifacts/${path}`;
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      // A raw request: clients that tidy paths up would not send these.
      const { status, body } = await raw(method, url);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(JSON.parse(body)).toHaveProperty('error_code');
    }
    expect(await storedEvents(id)).toEqual([]);
  });

  it.each(['../../etc', '/etc', 'a\\..\\b', '%2e%2e/x', 'a#b', 'a\u0007b', 'C:/x'])(
    '%j is refused in a query',
    async (path) => {
      for (const answer of [
        await api.get(PROXY, { path }),
        await api.get(PROXY, { path: `${root}/${path}` }),
        await api.get('artifacts/list', { run_id: runId, path }),
        await api.get('/get-artifact', { run_id: runId, path }),
      ]) {
        const isMisplaced = answer.status === 200 && answer.body.files.length === 0;
        expect(isMisplaced).toBe(false);
        expect(answer).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } });
      }
    },
  );

  it('lead nowhere but into runs and models that are there', async () => {
    const other = await api.newExperiment();
    for (const path of [
      'nowhere/file',
      `${other}/${runId}/artifacts/file`,
      `${experimentId}/${'0'.repeat(32)}/artifacts/file`,
      `${experimentId}/models/m-${'0'.repeat(32)}/artifacts/file`,
      `${experimentId}/models/${runId}/artifacts/file`,
      root,
    ]) {
      const stored = await put(path, 'x');
      expect([400, 404]).toContain(stored.statusCode);
      expect(stored.json()).toHaveProperty('error_code');
      expect([400, 404]).toContain((await get(path)).statusCode);
    }
    expect((await get(`${root}/never-stored`)).json()).toMatchObject({ error_code: 'RESOURCE_DOES_NOT_EXIST' });
  });

  it('cannot be reached by multipart or presigned calls either; their words send the client back to streaming', async () => {
    const answer = await api.post('/api/2.0/mlflow-artifacts/mpu/create/x', { path: 'x', num_parts: 2 });
    expect(answer).toMatchObject({ status: 501, body: { error_code: 'NOT_IMPLEMENTED' } });
    expect(answer.body.message).toMatch(/^Multipart upload is not supported for the current artifact repository/);
    expect((await api.get('/api/2.0/mlflow-artifacts/presigned/x')).status).toBe(501);
  });
});

function raw(method: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(api.url);
    const outgoing = request({ method, hostname, port, path, headers: { 'content-length': 0 } }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
