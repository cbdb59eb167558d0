import { eventsOf, predictionPayload, type ServiceName } from '@mledger/contracts';
import { eventId } from '@mledger/event-log';
import type { LedgerEvent } from '../timeline/ledger-event';
import type { Evidence } from './evidence';
import { explain } from './explanation';
import { storyOf } from './story';

const COMMIT = '2'.repeat(64);

/** Events of one stream in the order given, each a minute after the one before, from the examples of the contracts. */
class Stream {
  readonly events: LedgerEvent[] = [];

  constructor(
    private readonly service: ServiceName,
    private readonly name: string,
    private minute: number,
  ) {}

  add(type: string, data: object = {}, actor = 'user:ana', cause = 'request:r'): LedgerEvent {
    const definition = eventsOf(this.service).find((one) => one.type === type)!;
    const version = this.events.length + 1;
    const event: LedgerEvent = {
      ...{ cursor: '1', id: eventId(this.service, this.name, version), service: this.service, seq: this.minute, type },
      ...{ stream: this.name, version, time: timeAt(this.minute), actor, cause, correlation: 'c' },
      data: { ...(definition.example as object), ...data },
    };
    this.minute += 1;
    this.events.push(event);
    return event;
  }
}

function timeAt(minute: number): string {
  return new Date(Date.UTC(2026, 10, 23, 8, minute)).toISOString();
}

function predictionAt(minute: number, given: object = {}): Evidence['prediction'] {
  const payload = predictionPayload.parse({
    ...{
      requestId: 'request-1',
      clientRequestId: null,
      tenant: 'default',
      actor: 'user:caller',
      correlation: 'c-call',
    },
    ...{ endpointId: 'e-1', endpoint: 'delay', revision: 2, modelId: 'm-1', model: 'delay', modelVersion: 2 },
    ...{ time: timeAt(minute), durationMs: 1.5, status: 200, shadow: false, error: null, tensors: null },
    ...{ inputs: [], outputs: [], ...given },
  });
  return { requestId: payload.requestId, digest: Buffer.from('d1', 'hex'), payload };
}

const NOTHING: Evidence = {
  prediction: predictionAt(30),
  seal: { status: 'not-sealed-yet' },
  ...{ endpointEvents: [], modelEvents: [], runEvents: [], metricEvents: [], loggedModelEvents: [] },
  ...{ dataRead: [], commitEvents: [], causes: [], observations: [] },
};

function promotion(model: Stream): LedgerEvent {
  model.add('ModelVersionCreated', { version: 2, runId: 'run-2' }, 'user:author');
  model.add('PromotionRequested', { reason: 'better on June' }, 'user:author');
  model.add('GateEvaluated', {}, 'user:author');
  model.add('PromotionApproved', { comment: 'looked at the residuals' }, 'user:approver');
  model.add('ModelPromoted', {}, 'user:approver');
  return model.add('AliasMoved', { fromVersion: 1, toVersion: 2 }, 'user:approver');
}

describe('an explanation', () => {
  it('says what is known, and no more, when only the prediction is', () => {
    const explanation = explain(NOTHING);
    expect(explanation).toMatchObject({ deployment: null, promotion: null, modelVersion: null, run: null, data: [] });
    expect(storyOf(explanation)).toEqual([
      `At ${timeAt(30)}, user:caller asked endpoint delay (request request-1), and revision 2, version 2 of delay, answered 200 after 1.5 ms.`,
      'The prediction is not sealed yet.',
    ]);
  });

  it('tells the promotion by which the version came to answer, with who approved and why', () => {
    const model = new Stream('registry', 'default/model:m-1', 0);
    const endpoint = new Stream('serving', 'default/endpoint:e-1', 10);
    const moved = promotion(model);
    endpoint.add('EndpointCreated');
    endpoint.add('RevisionDeployed', {}, 'user:approver', moved.id);
    const explanation = explain({ ...NOTHING, modelEvents: model.events, endpointEvents: endpoint.events });
    expect(explanation.promotion).toMatchObject({
      move: { fromVersion: 1, toVersion: 2, event: { id: moved.id } },
      request: { by: 'user:author', reason: 'better on June' },
      approvals: [{ by: 'user:approver', comment: 'looked at the residuals' }],
    });
    const story = storyOf(explanation).join('\n');
    expect(story).toContain('user:approver approved');
    expect(story).toContain('“looked at the residuals” [registry 3, PromotionApproved]');
    expect(story).toContain('A gate was passed: holdout_auc is 0.71, at least 0.6 [registry 2, GateEvaluated]');
  });

  it('goes back to the first promotion where the version answers again after a roll-back', () => {
    const model = new Stream('registry', 'default/model:m-1', 0);
    const endpoint = new Stream('serving', 'default/endpoint:e-1', 12);
    promotion(model);
    model.add('AliasMoved', { fromVersion: 2, toVersion: 3, promotionId: 'p-3' });
    model.add('PromotionRolledBack', { fromVersion: 3, toVersion: 2, reason: 'errors doubled' }, 'user:approver');
    const back = model.add('AliasMoved', { fromVersion: 3, toVersion: 2, promotionId: null, reason: 'errors doubled' });
    endpoint.add('RevisionDeployed', {}, 'user:approver', back.id);
    const { promotion: found } = explain({ ...NOTHING, modelEvents: model.events, endpointEvents: endpoint.events });
    expect(found).toMatchObject({
      move: { fromVersion: 3, toVersion: 2, reason: 'errors doubled' },
      request: { reason: 'better on June' },
    });
  });

  it('takes the alias that the endpoint follows where somebody deployed by hand', () => {
    const model = new Stream('registry', 'default/model:m-1', 0);
    const endpoint = new Stream('serving', 'default/endpoint:e-1', 10);
    const moved = promotion(model);
    endpoint.add('EndpointCreated');
    endpoint.add('RevisionDeployed', { reason: 'delay follows models:/delay@champion' });
    const evidence = { ...NOTHING, modelEvents: model.events, endpointEvents: endpoint.events };
    expect(explain(evidence).promotion?.move.event.id).toBe(moved.id);
    const pinned = new Stream('serving', 'default/endpoint:e-1', 10);
    pinned.add('EndpointCreated', { follows: { model: 'delay', alias: null, version: 2 } });
    pinned.add('RevisionDeployed');
    expect(explain({ ...evidence, endpointEvents: pinned.events }).promotion).toBeNull();
  });

  it('gives of each metric the newest point, of the version’s own model where points name one', () => {
    const run = new Stream('experiments', 'default/run:run-2', 0);
    run.add('RunStarted', { runId: 'run-2' });
    const metrics = new Stream('experiments', 'default/run:run-2', 5);
    const point = (value: number | 'NaN', timestamp: number, step = 0) => ({ key: 'auc', value, timestamp, step });
    metrics.add('MetricsLogged', { metrics: [point(0.5, 3), point(0.9, 9)] });
    metrics.add('MetricsLogged', { metrics: [point(0.6, 3), { ...point(0.1, 99), modelId: 'm-of-another' }] });
    const model = new Stream('registry', 'default/model:m-1', 0);
    promotion(model);
    const metricEvents = [...metrics.events].reverse();
    const { run: section } = explain({ ...NOTHING, runEvents: run.events, metricEvents, modelEvents: model.events });
    expect(section?.metrics).toMatchObject({ auc: { value: 0.9, timestamp: 9, event: { id: metrics.events[0]!.id } } });
    expect(section?.status).toBe('RUNNING');
  });

  it('names the commit that was read, or says that none is known', () => {
    const branch = new Stream('versioning', 'default/branch:r/main', 0);
    branch.add('CommitCreated', {}, 'user:curator');
    const read = { repository: 'flights', ref: COMMIT, commitId: COMMIT, paths: ['months/01.parquet'] };
    const unknown = { ...read, ref: 'gone', commitId: null };
    const explanation = explain({ ...NOTHING, dataRead: [read, unknown], commitEvents: branch.events });
    expect(explanation.data.map(({ commit }) => commit?.message)).toEqual(['flights of January', undefined]);
    expect(storyOf(explanation).slice(-2)).toEqual([
      `It read months/01.parquet of repository flights at commit ${COMMIT}, which user:curator made on main at ${timeAt(0)}: “flights of January” [versioning 0, CommitCreated].`,
      'It read months/01.parquet of repository flights at gone, of which no commit is known.',
    ]);
  });

  it('tells what came after, in its order, and only of this version and revision', () => {
    const model = new Stream('registry', 'default/model:m-1', 40);
    const endpoint = new Stream('serving', 'default/endpoint:e-1', 50);
    model.add('AliasMoved', { alias: 'challenger', fromVersion: 7, toVersion: 8 });
    model.add('PromotionRolledBack', { fromVersion: 2, toVersion: 1, reason: 'errors doubled' }, 'user:approver');
    endpoint.add('RevisionRolledBack', { fromRevision: 9, toRevision: 8 });
    endpoint.add('RevisionDeployed', { revision: 3 });
    const evidence = { ...NOTHING, modelEvents: model.events, endpointEvents: endpoint.events };
    expect(explain(evidence).afterwards.map(({ what }) => what)).toEqual([
      'champion of delay was rolled back from version 2 to 1',
      'revision 3 of delay was deployed, with version 2',
    ]);
    expect(explain({ ...evidence, prediction: predictionAt(59) }).afterwards).toEqual([]);
  });

  it('notices bytes that are not those that were registered', () => {
    const model = new Stream('registry', 'default/model:m-1', 0);
    const endpoint = new Stream('serving', 'default/endpoint:e-1', 10);
    const logged = new Stream('experiments', 'default/logged-model:m', 0);
    const moved = promotion(model);
    const objectKey = 'default/experiments/1/a3/0199';
    endpoint.add('RevisionDeployed', {}, 'user:approver', moved.id);
    logged.add('ArtifactStored', { objectKey, sha256: '0'.repeat(64) });
    const loggedModelEvents = logged.events;
    const evidence = { ...NOTHING, modelEvents: model.events, endpointEvents: endpoint.events, loggedModelEvents };
    expect(explain(evidence).modelVersion?.bytes).toMatchObject({ sameAsRegistered: true, sameAsStored: false });
  });
});
