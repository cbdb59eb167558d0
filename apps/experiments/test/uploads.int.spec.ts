import { Readable } from 'node:stream';
import { Clock } from '@mledger/service-kit';
import { UPLOAD_MS_MAX, Uploads } from '../src/artifact/uploads';
import { startApi, type TestApi } from './mlflow-api';

/** A clock that a test can put forward. */
class MovedClock extends Clock {
  aheadMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.aheadMs;
  }
}

let api: TestApi;
const clock = new MovedClock();
beforeAll(async () => {
  api = await startApi({ runtime: { clock } });
});
afterAll(() => api.stop());

const keys = async () => (await api.runtime.objectStore.list('default/experiments/')).objects.map(({ key }) => key);
const rows = async () => (await api.service.log.pool.query('select object_key from uploads')).rows as unknown[];

describe('an upload', () => {
  it('that a crash broke off is swept away after a day, and nothing else is', async () => {
    const uploads = api.service.app.get(Uploads);
    const runId = await api.newRun('0');
    const url = `/api/2.0/mlflow-artifacts/artifacts/0/${runId}/artifacts/whole`;
    expect((await api.inject({ method: 'PUT', url, payload: 'whole' })).statusCode).toBe(200);
    expect(await rows()).toEqual([]);
    const [whole] = await keys();

    // All that a process does before it is killed: the row, and the bytes, but no event.
    const orphan = 'default/experiments/0/00/orphan';
    await uploads.begin(orphan);
    await api.runtime.objectStore.put(orphan, Buffer.from('half'));
    await uploads.sweep();
    expect(await keys()).toContain(orphan);

    clock.aheadMs = UPLOAD_MS_MAX + 1;
    await uploads.begin('default/experiments/0/00/recent');
    await uploads.sweep();
    expect(await keys()).toEqual([whole]);
    expect(await rows()).toEqual([{ object_key: 'default/experiments/0/00/recent' }]);
    expect((await api.inject({ method: 'GET', url })).body).toBe('whole');
  });

  it('that is refused at its end leaves neither bytes nor a trace', async () => {
    const before = await keys();
    const runId = await api.newRun('0');
    const answer = await put(
      runId,
      bodyWith(() => api.post('runs/delete', { run_id: runId })),
    );
    expect(answer.json()).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' });
    expect(await keys()).toEqual(before);
    expect(await rows()).toHaveLength(1);
  });

  it('that was swept away before its end is told so, and is no artifact', async () => {
    const runId = await api.newRun('0');
    const sweep = () => {
      clock.aheadMs += UPLOAD_MS_MAX + 1;
      return api.service.app.get(Uploads).sweep();
    };
    expect((await put(runId, bodyWith(sweep))).json()).toMatchObject({ error_code: 'RESOURCE_CONFLICT' });
    expect((await api.get('artifacts/list', { run_id: runId })).body.files).toEqual([]);
    expect(await rows()).toEqual([]);
  });
});

const put = (runId: string, payload: Readable) =>
  api.inject({ method: 'PUT', url: `/api/2.0/mlflow-artifacts/artifacts/0/${runId}/artifacts/late`, payload });

/** A body in the middle of which something happens. */
function bodyWith(step: () => Promise<unknown>): Readable {
  return Readable.from(
    (async function* () {
      yield Buffer.from('first');
      await step();
      yield Buffer.from('second');
    })(),
  );
}
