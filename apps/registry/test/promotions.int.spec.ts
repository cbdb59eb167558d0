import { AccessControl } from '@mledger/access-control';
import { eventually, type TestKey } from '@mledger/service-kit/testing';
import { metricsLogged, RegistryWorld } from './registry-world';

const GATES = [
  { metric: 'auc', atLeast: 0.6 },
  { metric: 'auc', notWorseThanChampion: { tolerance: 0.01 } },
];

let world: RegistryWorld;
let ana: TestKey;
let bo: TestKey;
let reader: TestKey;
beforeAll(async () => {
  world = await RegistryWorld.start({ MLEDGER_AUTH: 'keys' });
  ana = await world.kit.access!.issueKey({ roles: ['contributor', 'approver'] });
  bo = await world.kit.access!.issueKey({ roles: ['approver', 'deployer'] });
  reader = await world.kit.access!.issueKey({ roles: ['reader'] });
  await hold(ana, bo, reader);
});
afterAll(() => world?.stop());

const as = (key: TestKey) => ({ authorization: key.authorization });

/** Until the registry has heard of the keys. */
async function hold(...keys: TestKey[]): Promise<void> {
  for (const key of keys) {
    await eventually(async () =>
      expect((await world.mlflow('GET', 'registered-models/search', {}, as(key))).status).toBe(200),
    );
  }
}
const promote = (name: string, version: number, by = ana, more = {}) =>
  world.own('POST', `models/${name}/promotions`, { version, reason: 'better', ...more }, as(by));
const holder = (name: string, query = '') =>
  world.own('GET', `models/${name}/aliases/champion${query}`, undefined, as(reader));
const setPolicy = (name: string, policy: object) => world.own('PUT', `models/${name}/policy`, policy, as(bo));

describe('a promotion over HTTP', () => {
  it('goes from request through gates and approval to the alias, and is answered for afterwards', async () => {
    await world.logVersion('delay', { auc: 0.7 }, as(ana));
    const policy = await setPolicy('delay', { gates: GATES, approvals: 1 });
    expect(policy).toMatchObject({
      status: 200,
      body: {
        model: 'delay',
        alias: 'champion',
        gates: [GATES[0], { metric: 'auc', notWorseThanChampion: { tolerance: 0.01, lowerIsBetter: false } }],
      },
    });
    const requested = await promote('delay', 1);
    expect(requested).toMatchObject({
      status: 201,
      body: {
        status: 'pending',
        approvalsNeeded: 1,
        gates: [{ passed: true, observed: { value: 0.7 } }, { passed: true }],
      },
    });
    const { promotionId } = requested.body;
    const approve = (by: TestKey) =>
      world.own('POST', `promotions/${promotionId}/approve`, { comment: 'seen' }, as(by));
    expect(await approve(ana)).toMatchObject({ status: 403, body: { code: 'OWN_PROMOTION' } });
    expect(await approve(reader)).toMatchObject({ status: 403 });
    expect(await approve(bo)).toMatchObject({
      status: 200,
      body: { status: 'promoted', approvals: [{ by: `user:${bo.userId}` }] },
    });
    expect(await approve(bo)).toMatchObject({ status: 409, body: { code: 'PROMOTION_CLOSED' } });
    expect(await holder('delay')).toMatchObject({
      status: 200,
      body: {
        model: 'delay',
        version: 1,
        by: `user:${bo.userId}`,
        reason: 'better',
        promotion: { promotionId, status: 'promoted' },
      },
    });
    const alias = await world.mlflow(
      'GET',
      'registered-models/alias',
      { name: 'delay', alias: 'champion' },
      as(reader),
    );
    expect(alias.body.model_version.version).toBe('1');
  });

  it('is refused with the figures when the model is worse than the champion', async () => {
    await world.logVersion('worse', { auc: 0.7 }, as(ana));
    await world.logVersion('worse', { auc: 0.65 }, as(ana));
    await setPolicy('worse', { gates: GATES });
    expect((await promote('worse', 1)).body.status).toBe('promoted');
    const refused = await promote('worse', 2);
    expect(refused).toMatchObject({
      status: 201,
      body: {
        status: 'refused',
        closingReason: "auc is 0.65, worse than the champion's 0.7 (version 1, tolerance 0.01)",
        gates: [{ passed: true }, { passed: false, observed: { value: 0.65 }, champion: { value: 0.7, version: 1 } }],
      },
    });
    expect((await holder('worse')).body.version).toBe(1);
  });

  it('sees a metric that was logged just before, and takes the newest', async () => {
    await world.mlflow('POST', 'registered-models/create', { name: 'fresh' }, as(ana));
    const { runId, loggedModelId } = await world.logRun();
    const version = { name: 'fresh', source: `models:/${loggedModelId}`, model_id: loggedModelId };
    await world.mlflow('POST', 'model-versions/create', version, as(ana));
    await setPolicy('fresh', { gates: [{ metric: 'auc', atLeast: 0.6 }] });
    const pending = promote('fresh', 1);
    await world.experiments.tell(['run', 'evaluation'], metricsLogged('evaluation', { auc: 0.9 }, loggedModelId));
    expect((await pending).body).toMatchObject({
      status: 'promoted',
      gates: [{ observed: { value: 0.9, runId: 'evaluation' } }],
    });
    expect(runId).not.toBe('evaluation');
  });

  it('is the only way to a protected alias', async () => {
    await world.logVersion('guarded', {}, as(ana));
    await setPolicy('guarded', {});
    const set = await world.mlflow(
      'POST',
      'registered-models/alias',
      { name: 'guarded', alias: 'champion', version: '1' },
      as(ana),
    );
    expect(set).toMatchObject({
      status: 403,
      body: {
        error_code: 'PERMISSION_DENIED',
        message: expect.stringContaining('/api/mledger/v1/models/guarded/promotions'),
      },
    });
    expect((await holder('guarded')).status).toBe(404);
    expect((await world.own('DELETE', 'models/guarded/policy', undefined, as(bo))).status).toBe(204);
    expect((await world.own('GET', 'models/guarded/policy', undefined, as(bo))).status).toBe(404);
  });

  it('is rejected and withdrawn with a reason, and listed', async () => {
    await world.logVersion('listed', {}, as(ana));
    await setPolicy('listed', { approvals: 1 });
    const { promotionId } = (await promote('listed', 1)).body;
    expect((await world.own('POST', `promotions/${promotionId}/reject`, {}, as(bo))).status).toBe(400);
    const rejected = await world.own('POST', `promotions/${promotionId}/reject`, { reason: 'too few rows' }, as(bo));
    expect(rejected.body).toMatchObject({
      status: 'rejected',
      closedBy: `user:${bo.userId}`,
      closingReason: 'too few rows',
    });
    const second = (await promote('listed', 1)).body;
    await world.own('POST', `promotions/${second.promotionId}/withdraw`, { reason: 'later' }, as(ana));
    const page = await world.own('GET', 'models/listed/promotions?limit=1', undefined, as(reader));
    expect(page.body).toMatchObject({ promotions: [{ status: 'withdrawn' }], next: second.promotionId });
    const rest = await world.own(
      'GET',
      `models/listed/promotions?limit=1&after=${page.body.next}`,
      undefined,
      as(reader),
    );
    expect(rest.body).toMatchObject({ promotions: [{ status: 'rejected' }], next: null });
    const pending = await world.own('GET', 'models/listed/promotions?status=pending', undefined, as(reader));
    expect(pending.body.promotions).toEqual([]);
  });

  it('is rolled back to the holder before, and the past stays known', async () => {
    for (const auc of [0.7, 0.8]) await world.logVersion('rolled', { auc }, as(ana));
    await setPolicy('rolled', { gates: GATES });
    await promote('rolled', 1);
    await promote('rolled', 2);
    const seqBefore = await eventually(() => seqOfMove('rolled', 2));
    const rollback = await world.own('POST', 'models/rolled/rollback', { reason: 'errors doubled' }, as(bo));
    expect(rollback).toMatchObject({ status: 200, body: { fromVersion: 2, toVersion: 1, by: `user:${bo.userId}` } });
    expect((await holder('rolled')).body).toMatchObject({ version: 1, reason: 'errors doubled', promotion: null });
    expect((await holder('rolled', `?asOf=seq:${seqBefore}`)).body).toMatchObject({ version: 2 });
    const { tenures } = (await world.own('GET', 'models/rolled/aliases/champion/history', undefined, as(reader))).body;
    expect(tenures).toMatchObject([{ version: 1, until: null }, { version: 2 }, { version: 1 }]);
    expect(tenures[1].until).toBe(tenures[0].since);
    expect((await holder('rolled', `?asOf=${tenures[2].since}`)).body).toMatchObject({
      version: 1,
      promotion: { version: 1 },
    });
    expect((await holder('rolled', '?asOf=2001-01-01T00:00:00Z')).status).toBe(404);
    expect((await holder('rolled', '?asOf=yesterday')).status).toBe(400);
    expect(await world.own('POST', 'models/rolled/rollback', { reason: 'again' }, as(bo))).toMatchObject({
      status: 412,
      body: { code: 'NEVER_HELD' },
    });
  });

  it('of a pipeline that the policy names needs nobody’s approval, and of another one does', async () => {
    await world.logVersion('retrained', { auc: 0.7 }, as(ana));
    await world.logVersion('retrained', { auc: 0.8 }, as(ana));
    const policy = { gates: GATES, approvals: 1, pipelinesWithoutApproval: ['retrain'] };
    await setPolicy('retrained', policy);
    const stepOf = async (pipelineId: string, pipeline: string) => {
      const defined = { pipelineId, pipeline, revision: 1, steps: [], triggers: [], role: 'contributor' as const };
      await world.pipelines.tell(['pipeline', pipelineId], [{ type: 'PipelineDefined', data: defined }]);
      const { token } = await world.kit.service.app.get(AccessControl, { strict: false }).issueStepCredentials({
        ...{
          tenant: 'default',
          actor: `pipeline:${pipelineId}`,
          roles: ['contributor'],
          definer: `user:${ana.userId}`,
        },
        ...{ correlation: 'drift-7', cause: 'step-1', lifetimeSeconds: 60 },
      });
      return { authorization: `Bearer ${token}` };
    };
    const ask = async (version: number, headers: object) =>
      world.own('POST', 'models/retrained/promotions', { version, reason: 'drift' }, headers);
    expect((await ask(2, await stepOf('p1', 'other'))).body.status).toBe('pending');
    expect((await ask(1, await stepOf('p2', 'retrain'))).body).toMatchObject({
      ...{ status: 'promoted', requestedBy: 'pipeline:p2', approvalsNeeded: 0, correlation: 'drift-7' },
    });
    expect((await holder('retrained')).body).toMatchObject({ version: 1, by: 'pipeline:p2', correlation: 'drift-7' });
  });

  it('repeats nothing for the same Idempotency-Key', async () => {
    await world.logVersion('repeated', {}, as(ana));
    await setPolicy('repeated', { approvals: 1 });
    const headers = { ...as(ana), 'idempotency-key': 'one' };
    const ask = () => world.own('POST', 'models/repeated/promotions', { version: 1, reason: 'better' }, headers);
    const [first, second] = [await ask(), await ask()];
    expect(second.body.promotionId).toBe(first.body.promotionId);
    expect((await promote('repeated', 1)).status).toBe(409);
  });

  it('says what is wrong with a policy or a request', async () => {
    await world.logVersion('strict', {}, as(ana));
    const policies = [
      { gates: [{ metric: 'auc' }] },
      { approvals: -1 },
      { alias: 'latest' },
      { unknown: 1 },
      { gates: [{ metric: '', atLeast: 1 }] },
    ];
    for (const policy of policies) {
      expect(await setPolicy('strict', policy)).toMatchObject({ status: 400, body: { code: 'INVALID', status: 400 } });
    }
    expect((await setPolicy('nowhere', {})).status).toBe(404);
    expect((await promote('strict', 1, ana, { reason: ' ' })).status).toBe(400);
    expect((await promote('strict', 7)).status).toBe(404);
    expect((await promote('strict', 1, reader)).status).toBe(403);
    expect((await world.own('POST', 'promotions/none/approve', {}, as(bo))).status).toBe(404);
    expect((await world.own('PUT', 'models/strict/policy', {}, as(reader))).status).toBe(403);
  });

  it('belongs to its tenant alone', async () => {
    await world.kit.access!.createTenant('other');
    const stranger = await world.kit.access!.issueKey({ tenant: 'other', roles: ['admin'] });
    await hold(stranger);
    await world.logVersion('private', {}, as(ana));
    await setPolicy('private', { approvals: 1 });
    const { promotionId } = (await promote('private', 1)).body;
    expect((await world.own('GET', `promotions/${promotionId}`, undefined, as(stranger))).status).toBe(404);
    expect((await world.own('POST', `promotions/${promotionId}/approve`, {}, as(stranger))).status).toBe(404);
    expect((await world.mlflow('GET', 'registered-models/get', { name: 'private' }, as(stranger))).status).toBe(404);
    const { loggedModelId } = await world.logRun();
    await world.mlflow('POST', 'registered-models/create', { name: 'private' }, as(stranger));
    const stolen = { name: 'private', source: `models:/${loggedModelId}`, model_id: loggedModelId };
    expect((await world.mlflow('POST', 'model-versions/create', stolen, as(stranger))).status).toBe(404);
  });
});

/** The place in the public order of the move of an alias to a version, once it is numbered. */
async function seqOfMove(model: string, toVersion: number): Promise<number> {
  const moves = await world.kit.service.log.store.readLog({ afterSeq: 0, limit: 1_000, types: ['AliasMoved'] });
  const found = moves.find(({ data }) => {
    const move = data as { model: string; toVersion: number };
    return move.model === model && move.toVersion === toVersion;
  });
  if (found === undefined) throw new Error(`the move of ${model} to ${toVersion} has no seq yet`);
  return found.seq;
}
