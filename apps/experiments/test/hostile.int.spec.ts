import { gzipSync } from 'node:zlib';
import { startApi, type TestApi } from './mlflow-api';

let api: TestApi;
let runId: string;
beforeAll(async () => {
  api = await startApi();
  runId = await api.newRun('0');
});
afterAll(() => api.stop());

const MIB = 1024 * 1024;
const send = (payload: string | Buffer, headers: Record<string, string> = {}) =>
  api.inject({
    method: 'POST',
    url: '/api/2.0/mlflow/runs/log-batch',
    payload,
    headers: { 'content-type': 'application/json', ...headers },
  });
const batch = (rest: string) => `{"run_id": "${runId}", ${rest}}`;

describe('a hostile body', () => {
  it.each([
    ['that reaches for a prototype', batch('"__proto__": {"metrics": []}')],
    ['with a key twice', batch('"params": [], "params": [{"key": "a", "value": "1"}]')],
    ['nested 10,000 levels deep', batch(`"tags": ${'['.repeat(10_000)}${']'.repeat(10_000)}`)],
    ['with a number past 2^53', batch('"metrics": [{"key": "a", "value": 1, "timestamp": 9007199254740993}]')],
    ['with a number that no double holds', batch('"metrics": [{"key": "a", "value": 1e999, "timestamp": 1}]')],
    ['with NUL in a value', batch('"params": [{"key": "a", "value": "x\\u0000y"}]')],
    ['with half a character', batch('"params": [{"key": "a", "value": "\\ud83d"}]')],
    ['that is not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['that is not JSON', batch('"metrics": [{"value": NaN}]')],
    ['that is a list', '[]'],
    ['that is text', '"metrics"'],
    ['that is nothing', 'null'],
  ])('%s is refused, and nothing is stored', async (_what, payload) => {
    const answer = await send(payload);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toHaveProperty('error_code');
    expect(await api.service.log.store.readStream(`default/run:${runId}`)).toHaveLength(1);
  });

  it('that is too large, or becomes so, is given up', async () => {
    const large = batch(`"params": [{"key": "a", "value": "${'x'.repeat(9 * MIB)}"}]`);
    const bomb = gzipSync(Buffer.alloc(200 * MIB, ' '));
    for (const answer of [await send(large), await send(bomb, { 'content-encoding': 'gzip' })]) {
      expect(answer.statusCode).toBe(413);
      expect(answer.json()).toHaveProperty('error_code');
    }
  });

  it('of another type than JSON is not read', async () => {
    expect((await send('run_id=a', { 'content-type': 'application/x-www-form-urlencoded' })).statusCode).toBe(415);
  });
});

describe('a page of somebody else', () => {
  it.each<Record<string, string>>([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { host: 'evil.example' },
  ])('cannot use a loopback server: %j', async (headers) => {
    const answer = await send(batch('"tags": [{"key": "a", "value": "1"}]'), headers);
    expect(answer.statusCode).toBe(403);
    expect(await api.service.log.store.readStream(`default/run:${runId}`)).toHaveLength(1);
  });
});
