import { describeWith } from '@mledger/infra/jest';
import { Life } from './life';
import { startCluster, startStandalone, type Platform } from './platform';

/** How often each is in the ledger afterwards. */
const EVENTS = {
  ExperimentCreated: 2, // The other is Default, which is always there.
  RunStarted: 1,
  ParamsLogged: 1,
  MetricsLogged: 1,
  RunFinished: 1,
  RepositoryCreated: 1,
  CommitCreated: 2, // The other is a repository's first, which is empty.
  ModelRegistered: 1,
  ModelVersionCreated: 1,
  AliasMoved: 1,
};

/** The same calls and the same answers, whatever the processes are. */
function runMode(start: () => Promise<Platform>): void {
  let platform: Platform;
  beforeAll(async () => void (platform = await start()), 180_000);
  afterAll(() => platform?.stop(), 60_000);

  it('keeps what it acknowledged through kill -9, answers without a refusal, and has every event in the ledger', async () => {
    const life = new Life(platform, 'crash');
    await life.beginRun();
    await platform.crash('experiments');
    await life.endRun();
    await life.stageObject();
    await platform.crash('versioning');
    await life.commit();
    await life.registerModel();
    await platform.crash('ledger');
    await life.createVersion();
    expect(await life.told()).toEqual({
      status: 'FINISHED',
      params: [{ key: 'depth', value: '6' }],
      auc: [0.5, 0.7, 0.8],
      candidate: { version: '1', runId: life.runId },
      object: 'a,b\n1,2\n',
    });
    const events = await life.events(EVENTS);
    const count = (wanted: string) => events.filter(({ type }) => type === wanted).length;
    expect(Object.fromEntries(Object.keys(EVENTS).map((type) => [type, count(type)]))).toEqual(EVENTS);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  }, 120_000);

  it.each([
    ['/api/2.0/mlflow/nothing', { error_code: 'ENDPOINT_NOT_FOUND' }],
    ['/api/v1/nothing', { message: 'invalid API endpoint' }],
    ['/v2/nothing', { error: expect.any(String) }],
    ['/api/mledger/v1/nothing', { status: 404, instance: '/api/mledger/v1/nothing' }],
  ])('refuses %s, which no route names, in the form of its API', async (path, body) => {
    const { url, authorization } = platform;
    const response = await fetch(`${url}${path}`, { headers: authorization === undefined ? {} : { authorization } });
    expect([response.status, await response.json()]).toEqual([404, expect.objectContaining(body)]);
  });
}

describe('a standalone', () => runMode(startStandalone));

describeWith(['kafka', 's3'], 'a cluster', () => runMode(() => startCluster(['experiments'])));
