import { request } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startApi, type TestApi } from './mlflow-api';

const MIB = 1024 * 1024;
const ARTIFACT_BYTES = 400 * MIB;
/** What streams and sockets may hold; a body that is kept would need 400 MiB. */
const HELD_BYTES_MAX = 150 * MIB;

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ listen: true });
});
afterAll(() => api.stop());

describe('a large artifact', () => {
  it('passes both ways in memory that does not grow with it', async () => {
    const runId = await api.newRun('0');
    const url = `${api.url}/api/2.0/mlflow-artifacts/artifacts/0/${runId}/artifacts/large.bin`;
    const watch = watchMemory();
    await upload(url, ARTIFACT_BYTES, watch.look);
    expect(await download(url, watch.look)).toBe(ARTIFACT_BYTES);
    expect(watch.grownBytes()).toBeLessThan(HELD_BYTES_MAX);
  }, 180_000);
});

/** Bytes outside of the JavaScript heap, where bodies are; what only waits to be collected is not counted. */
function watchMemory() {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const outside = () => process.memoryUsage().external;
  const before = outside();
  let grown = 0;
  const look = () => {
    if (outside() - before >= HELD_BYTES_MAX) collectGarbage();
    grown = Math.max(grown, outside() - before);
  };
  return { look, grownBytes: () => grown };
}

function upload(url: string, bytes: number, look: () => void): Promise<void> {
  const chunk = Buffer.alloc(MIB, 7);
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'PUT', headers: { 'content-length': bytes } }, (answer) => {
      answer
        .resume()
        .on('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode}`))));
    });
    outgoing.on('error', reject);
    let sent = 0;
    const send = () => {
      while (sent < bytes) {
        sent += chunk.length;
        look();
        if (!outgoing.write(chunk)) return void outgoing.once('drain', send);
      }
      outgoing.end();
    };
    send();
  });
}

function download(url: string, look: () => void): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, (answer) => {
      let received = 0;
      answer.on('data', (data: Buffer) => {
        received += data.length;
        look();
      });
      answer.on('end', () => resolve(received)).on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}
