import { PredictionIndex } from '../src/predictions/prediction-index';
import { COMMIT, PARENT, RUN, tellFlightStory, tellRollback, type FlightStory } from './flight-story';
import { LedgerWorld, type Answer } from './ledger-world';

describe('explain and lineage', () => {
  let world: LedgerWorld;
  let story: FlightStory;
  let answeredAt: string;
  let objectKey: string;
  const explained = (query = '') => `explain?request=${story.prediction.requestId}${query}`;

  beforeAll(async () => {
    world = await LedgerWorld.start();
    story = await tellFlightStory(world);
    answeredAt = new Date().toISOString();
    await world.awaited(explained(), ({ status, body }) => status === 200 && body.data?.[0]?.commit);
    objectKey = await world.seal([...story.others, story.prediction]);
    await tellRollback(world, story);
    await world.awaited(
      explained(),
      ({ body }) => body.prediction.seal.status === 'verified' && body.afterwards.length >= 4,
    );
  });
  afterAll(() => world.stop());

  it('leads from a prediction back to the commit of its data, each step with its event', async () => {
    const { body } = await world.get(explained());
    expect(body.prediction).toMatchObject({
      ...{ askedBy: 'user:caller', endpoint: 'delay', revision: 2, modelVersion: 2, status: 200 },
      outputs: [{ name: 'probability', data: [0.25] }],
      seal: { status: 'verified', index: 2, count: 3, event: { service: 'serving', type: 'PredictionsSealed' } },
    });
    expect(body.deployment).toMatchObject({
      ...{ by: 'user:approver', reason: expect.stringContaining('retrained after drift') },
      follows: { alias: 'champion', event: { type: 'EndpointCreated' } },
      event: { type: 'RevisionDeployed', stream: 'default/endpoint:e-1', version: 2, actor: 'user:approver' },
    });
    expect(body.promotion).toMatchObject({
      promotionId: 'p-2',
      move: { fromVersion: 1, toVersion: 2, event: { type: 'AliasMoved' } },
      request: { by: 'pipeline:pl-1', reason: 'retrained after drift', event: { type: 'PromotionRequested' } },
      gates: [{ metric: 'holdout_auc', passed: true, observed: { value: 0.71 }, event: { type: 'GateEvaluated' } }],
      approvals: [{ by: 'user:approver', comment: 'figures are good', event: { type: 'PromotionApproved' } }],
    });
    expect(body.modelVersion).toMatchObject({
      ...{ version: 2, runId: RUN },
      bytes: { sha256: 'f'.repeat(64), sameAsRegistered: true, sameAsStored: true, event: { type: 'ArtifactStored' } },
    });
    expect(body.run).toMatchObject({
      ...{ runId: RUN, by: 'pipeline:pl-1', status: 'FINISHED', params: { max_depth: '6' } },
      metrics: { auc: { value: 0.78, event: { type: 'MetricsLogged' } } },
    });
    expect(body.data).toMatchObject([
      {
        ...{ repository: 'flights', commitId: COMMIT, paths: ['months/01.parquet', 'months/02.parquet'] },
        commit: { by: 'user:curator', message: 'Flights of January', parents: [PARENT], event: { seq: 2 } },
      },
      { ref: 'main', commitId: COMMIT, paths: ['months/03.parquet'], commit: { message: 'Flights of January' } },
    ]);
    expect(body.causes.map(({ event }: { event: { type: string } }) => event.type)).toEqual([
      ...['StepStarted', 'RunTriggered', 'DriftDetected'],
    ]);
    expect(body.afterwards.map(({ event }: { event: { type: string } }) => event.type)).toEqual([
      ...['WindowEvaluated', 'PerformanceDegraded', 'PromotionRolledBack', 'AliasMoved'],
    ]);
    expect(body.story.join('\n')).toContain('“AUC below the floor”');
  });

  it('knows as of the answer what was known then, and nothing later', async () => {
    const { body } = await world.get(explained(`&asOf=${answeredAt}`));
    expect(body.prediction.seal).toEqual({ status: 'not-sealed-yet', event: null });
    expect(body.afterwards).toEqual([]);
    expect(body.data[0].commit.message).toBe('Flights of January');
    expect(JSON.stringify(body)).not.toContain('AUC below the floor');

    const { body: deployments } = await world.get('events?type=RevisionDeployed');
    const [{ cursor }] = deployments.events;
    const before = await world.get(explained(`&asOf=seq:${cursor}`));
    expect(before.status).toBe(404);
    const { body: newest } = await world.get('events?order=newest&limit=1');
    const now = await world.get(explained(`&asOf=seq:${newest.events[0].cursor}`));
    const { body: unbounded } = await world.get(explained());
    expect(now.body.story).toEqual(unbounded.story);
    expect((await world.get(explained(`&asOf=seq:999999`))).body.story).toEqual(unbounded.story);
  });

  it('finds a prediction by what its client called it, unless that could be another', async () => {
    const { body } = await world.get('explain?request=flight-17');
    expect(body.request).toBe(story.prediction.requestId);
    await world.predict({ clientRequestId: 'flight-17' });
    const twice = await world.awaited('explain?request=flight-17', ({ status }) => status === 409);
    expect(twice.body.details.requests).toContain(story.prediction.requestId);
  });

  it('knows a prediction as soon as it is asked for', async () => {
    const { requestId } = await world.predict();
    expect((await world.get(`explain?request=${requestId}`)).status).toBe(200);
  });

  it('forgets a prediction when its time is over, and no other', async () => {
    const old = await world.predict({ time: '2024-11-23T08:00:00.000Z' });
    await world.awaited(`explain?request=${old.requestId}`, ({ status }) => status === 200);
    await world.kit.service.app.get(PredictionIndex, { strict: false }).forgetOld();
    expect((await world.get(`explain?request=${old.requestId}`)).status).toBe(404);
    expect((await world.get(explained())).status).toBe(200);
  });

  it('says so when what is stored is not what was sealed', async () => {
    const payload = await world.predict({ endpointId: 'e-forged' });
    const forged = await world.seal([{ ...payload, outputs: [] }]);
    expect(forged).not.toBe(objectKey);
    const { body } = await world.awaited(
      `explain?request=${payload.requestId}`,
      ({ body }) => body.prediction?.seal.status === 'broken',
    );
    expect(body.prediction.seal.reason).toBe('the prediction stored here is not the one that was sealed');
    expect(body.deployment).toBeNull();
  });

  it.each([
    ['explain?request=0199f1c2-0000-7000-8000-000000000001', 404],
    ['explain', 400],
    ['explain?request=', 400],
    ['explain?request=x&asOf=yesterday', 400],
    ['explain?request=x&asof=seq:1', 400],
    ['lineage/run:unheard-of', 404],
    ['lineage/planet:mars', 400],
    [`lineage/run:${RUN}?asOf=2020-01-01T00:00:00Z`, 404],
    [`lineage/run:${RUN}?depth=51`, 400],
  ])('answers %s with %d and a reason', async (path, expected) => {
    const { status, body } = await world.get(path);
    expect({ status, detail: typeof body.detail }).toEqual({ status: expected, detail: 'string' });
  });

  it('shows nothing of it to another tenant', async () => {
    await world.kit.access!.createTenant('acme');
    const { authorization } = await world.kit.access!.issueKey({ tenant: 'acme', roles: ['admin'] });
    for (const path of [explained(), 'explain?request=flight-17', `lineage/run:${RUN}`, 'lineage/model:delay/2']) {
      expect(await world.awaited(path, ({ status }) => status !== 401, { authorization })).toMatchObject({
        status: 404,
      });
    }
  });

  it('draws what led to a prediction, and what came of a commit, by edges that name their events', async () => {
    const up = await world.get(`lineage/request:${story.prediction.requestId}?direction=upstream`);
    expect(edges(up)).toEqual(
      expect.arrayContaining([
        `endpoint:delay/2 answered request:${story.prediction.requestId}`,
        'model:delay/2 deployed as endpoint:delay/2',
        `run:${RUN} registered as model:delay/2`,
        `commit:flights/${COMMIT} read by run:${RUN}`,
        `commit:flights/${PARENT} parent of commit:flights/${COMMIT}`,
        `event:${story.driftEvent} triggered pipeline-run:pr-1`,
      ]),
    );
    expect(up.body.edges.every(({ event }: { event: { id: string } }) => event.id.length === 36)).toBe(true);
    const run = up.body.nodes.find(({ id }: { id: string }) => id === `run:${RUN}`);
    expect(run).toMatchObject({ kind: 'run', event: { type: 'RunStarted', actor: 'pipeline:pl-1' } });

    const down = await world.get(`lineage/commit:flights/${COMMIT}?direction=downstream`);
    expect(edges(down)).toEqual(
      expect.arrayContaining([
        `commit:flights/${COMMIT} read by run:${RUN}`,
        'model:delay/2 deployed as endpoint:delay/2',
        'endpoint:delay/2 revision of endpoint:delay',
        'endpoint:delay judged in window:delay/w-1',
      ]),
    );
    const then = await world.get(`lineage/commit:flights/${COMMIT}?direction=downstream&asOf=${answeredAt}`);
    expect(edges(then)).not.toContain('endpoint:delay judged in window:delay/w-1');
    const near = await world.get(`lineage/commit:flights/${COMMIT}?direction=downstream&depth=1`);
    expect(near.body.truncated).toBe(true);
  });
});

function edges({ body }: Answer): string[] {
  return body.edges.map(({ from, kind, to }: Record<string, string>) => `${from} ${kind} ${to}`);
}
