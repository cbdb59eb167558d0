import { join } from 'node:path';
import { eventually, SERVING_URL, TestProcess } from '@mledger/service-kit/testing';
import { followPublished, type SealedPrediction } from './sealed-predictions';
import { MATRIX, ServingWorld } from './serving-world';

let world: ServingWorld;
let serving: TestProcess | undefined;
let isKilled = false;
beforeAll(async () => {
  world = await ServingWorld.start();
});
afterAll(async () => {
  await serving?.stop('SIGKILL');
  await world?.stop();
});

const CLIENTS = 8;
/** More than one seal holds, so that the process dies between seals and within them. */
const ANSWERS_BEFORE_KILL = 1_200;

/** The built service, alone on the database and the folder of the world. @returns its URL once it answers */
async function startProcess(): Promise<string> {
  const { databaseUrl, config } = world.kit.runtime;
  const environment = { DATABASE_URL: databaseUrl, MLEDGER_HOME: config.home };
  serving = TestProcess.spawn(join(__dirname, 'service-process.cjs'), environment);
  return serving.says(SERVING_URL);
}

/** Predicts again and again until the server is gone. @returns the ids of the answers that arrived whole */
async function predictUntilGone(url: string, onAnswer: () => void): Promise<string[]> {
  const answered: string[] = [];
  for (;;) {
    try {
      const body = JSON.stringify({ inputs: [MATRIX] });
      const answer = await fetch(`${url}/v2/models/delay/infer`, { method: 'POST', body });
      const { outputs } = (await answer.json()) as { outputs?: object[] };
      // A replica that comes up says 503 until it knows what it serves.
      if (answer.status === 503) continue;
      expect([answer.status, outputs?.length]).toEqual([200, 2]);
      answered.push(answer.headers.get('x-request-id')!);
      onAnswer();
    } catch (error) {
      if (isKilled) return answered;
      throw error;
    }
  }
}

describe('kill -9 in the middle of predictions', () => {
  it('loses none that was answered, repeats none, and all are sealed by who comes next', async () => {
    await world.registry.createVersion('delay', 1, 'double.onnx');
    await world.follow('delay', 'models:/delay/1');
    await world.kit.service.stop();

    const url = await startProcess();
    let answers = 0;
    const kill = () => {
      answers += 1;
      if (answers !== ANSWERS_BEFORE_KILL) return;
      isKilled = true;
      void serving?.stop('SIGKILL');
    };
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => predictUntilGone(url, kill)));
    const answered = clients.flat();
    expect(answered.length).toBeGreaterThanOrEqual(ANSWERS_BEFORE_KILL);
    expect(new Set(answered).size).toBe(answered.length);

    const { log } = await world.startReplica();
    const published = await followPublished(await world.openBus());
    const idsOf = (predictions: readonly SealedPrediction[]) => predictions.map(({ requestId }) => requestId).sort();
    const sealed = await eventually(async () => {
      const found = await world.sealedPredictions(log);
      const ids = new Set(idsOf(found));
      expect(answered.filter((requestId) => !ids.has(requestId))).toEqual([]);
      // Some were on record, and nobody was left to answer them.
      expect(found.length).toBe(published.length);
      return found;
    }, 60_000);
    expect(new Set(idsOf(published)).size).toBe(published.length);
    expect(idsOf(sealed)).toEqual(idsOf(published));
    // What is sealed are the bytes that were published.
    expect(sealed.map(({ sha256 }) => sha256).sort()).toEqual(published.map(({ sha256 }) => sha256).sort());
    expect(await log.verify()).toMatchObject({ ok: true });
  }, 150_000);
});
