import * as fc from 'fast-check';
import { ModelHistory, modelWith, noEvidence, origin } from '../../test/model-history';
import { registeredModelDecider, STAGES, type RegisteredModelCommand } from './registered-model';

const version = (n: number): RegisteredModelCommand => ({
  type: 'CreateVersion',
  origin: origin(`run${n}`),
  runLink: '',
  description: '',
  tags: [],
});

describe('a registered model', () => {
  it('numbers its versions densely, deleted ones included', () => {
    const model = modelWith(2);
    model.do({ type: 'DeleteVersion', version: 2 });
    const [created] = model.do(version(3));
    expect(created).toMatchObject({ type: 'ModelVersionCreated', data: { version: 3, runId: 'run3' } });
  });

  it('keeps the last of tags given twice', () => {
    const history = new ModelHistory();
    const tags = [
      { key: 'a', value: '1' },
      { key: 'a', value: '2' },
    ];
    const [event] = history.do({ type: 'RegisterModel', modelId: 'm1', name: 'delay', description: '', tags });
    expect(event?.data).toMatchObject({ tags: [{ key: 'a', value: '2' }] });
  });

  it('tells serving all it needs when an alias moves', () => {
    const model = modelWith(2);
    model.do({ type: 'SetAlias', alias: 'blue', version: 1, reason: 'first' });
    expect(model.do({ type: 'SetAlias', alias: 'blue', version: 2, reason: 'second' })).toMatchObject([
      {
        type: 'AliasMoved',
        data: { alias: 'blue', fromVersion: 1, toVersion: 2, reason: 'second', ...origin('run2'), promotionId: null },
      },
    ]);
  });

  it('changes nothing when an alias is set where it is', () => {
    const model = modelWith(1);
    model.do({ type: 'SetAlias', alias: '__proto__', version: 1, reason: '' });
    expect(model.do({ type: 'SetAlias', alias: '__proto__', version: 1, reason: '' })).toEqual([]);
  });

  it('takes the aliases from a version that is deleted', () => {
    const model = modelWith(1);
    model.do({ type: 'SetAlias', alias: 'blue', version: 1, reason: '' });
    expect(model.do({ type: 'DeleteVersion', version: 1 }).map((event) => event.type)).toEqual([
      'AliasRemoved',
      'ModelVersionDeleted',
    ]);
    expect(model.try({ type: 'SetAlias', alias: 'blue', version: 1, reason: '' })).toMatchObject({
      refusal: { code: 'VERSION_NOT_FOUND', kind: 'not-found' },
    });
  });

  it('archives who was in the stage, only when asked', () => {
    const model = modelWith(3);
    const transition = (n: number, stage: (typeof STAGES)[number], archiveExisting: boolean) =>
      model.do({ type: 'TransitionStage', version: n, stage, archiveExisting }).map((event) => event.data);
    transition(1, 'Production', false);
    expect(transition(2, 'Production', false)).toHaveLength(1);
    expect(transition(3, 'Production', true)).toMatchObject([
      { version: 1, fromStage: 'Production', toStage: 'Archived' },
      { version: 2, fromStage: 'Production', toStage: 'Archived' },
      { version: 3, fromStage: 'None', toStage: 'Production' },
    ]);
    expect(model.try({ type: 'TransitionStage', version: 1, stage: 'Archived', archiveExisting: true })).toMatchObject({
      refusal: { kind: 'invalid' },
    });
  });

  it('names the versions that go with it, and answers nothing afterwards', () => {
    const model = modelWith(3);
    model.do({ type: 'DeleteVersion', version: 2 });
    expect(model.do({ type: 'DeleteModel' })).toMatchObject([{ type: 'ModelDeleted', data: { versions: [1, 3] } }]);
    expect(model.try(version(4))).toMatchObject({ refusal: { kind: 'not-found' } });
  });

  it('lets no alias that a policy protects move, go, or be deleted away by hand', () => {
    const model = modelWith(2);
    model.do({ type: 'SetAlias', alias: 'champion', version: 1, reason: '' });
    const policy = { alias: 'champion', gates: [], approvals: 0, pipelinesWithoutApproval: [] };
    model.do({ type: 'SetPolicy', policy });
    const attempts: RegisteredModelCommand[] = [
      { type: 'SetAlias', alias: 'champion', version: 2, reason: '' },
      { type: 'RemoveAlias', alias: 'champion', reason: '' },
      { type: 'DeleteVersion', version: 1 },
      { type: 'DeleteModel' },
    ];
    for (const attempt of attempts) {
      const outcome = model.try(attempt);
      expect(outcome).toMatchObject({ refusal: { kind: 'forbidden', code: 'ALIAS_PROTECTED' } });
      expect(outcome).toMatchObject({ refusal: { message: expect.stringContaining('/models/delay/promotions') } });
    }
    model.do({ type: 'RemovePolicy' });
    expect(model.do({ type: 'RemoveAlias', alias: 'champion', reason: '' })).toHaveLength(1);
  });

  it('holds its invariants whatever is asked of it', () => {
    fc.assert(
      fc.property(fc.array(anyCommand(), { maxLength: 60 }), (commands) => {
        const model = modelWith(1);
        for (const command of commands) model.try(command, 'user:any');
        const created = model.events.filter((event) => event.type === 'ModelVersionCreated');
        expect(created.map((event) => event.data.version)).toEqual(created.map((_event, index) => index + 1));
        for (const held of model.state.aliases.values()) expect(model.state.versions[held - 1]?.deleted).toBe(false);
        const refolded = model.events.reduce(registeredModelDecider.evolve, registeredModelDecider.initial);
        expect(refolded).toEqual(model.state);
        const promoted = model.events.filter((event) => event.type === 'ModelPromoted');
        for (const event of promoted) {
          expect(model.events[event.version]).toMatchObject({
            type: 'AliasMoved',
            data: { alias: event.data.alias, toVersion: event.data.version, promotionId: event.data.promotionId },
          });
        }
      }),
    );
  });
});

function anyCommand(): fc.Arbitrary<RegisteredModelCommand> {
  const n = fc.integer({ min: 1, max: 4 });
  const alias = fc.constantFrom('champion', 'blue', '__proto__');
  const promotionId = fc.constantFrom('p1', 'p2', 'p3');
  const evidence = fc.constantFrom(noEvidence, { versions: [1, 2, 3, 4], observations: [] });
  const policy = { gates: [], approvals: 1, pipelinesWithoutApproval: ['retrain'] };
  return fc.oneof(
    fc.constant(version(9)),
    n.map((one): RegisteredModelCommand => ({ type: 'DeleteVersion', version: one })),
    fc.tuple(alias, n).map(([to, one]): RegisteredModelCommand => {
      return { type: 'SetAlias', alias: to, version: one, reason: 'r' };
    }),
    alias.map((one): RegisteredModelCommand => ({ type: 'RemoveAlias', alias: one, reason: 'r' })),
    alias.map((one): RegisteredModelCommand => ({ type: 'SetPolicy', policy: { ...policy, alias: one } })),
    fc
      .tuple(promotionId, n, alias, evidence, fc.constantFrom(null, 'retrain'))
      .map(([id, one, to, facts, pipeline]): RegisteredModelCommand => {
        const asked = { promotionId: id, version: one, alias: to, evidence: facts, pipeline };
        return { type: 'RequestPromotion', ...asked, reason: 'r', actor: 'user:any' };
      }),
    fc.tuple(promotionId, evidence).map(([id, facts]): RegisteredModelCommand => {
      return { type: 'ApprovePromotion', promotionId: id, actor: 'user:bo', comment: '', evidence: facts };
    }),
    promotionId.map((id): RegisteredModelCommand => {
      return { type: 'RejectPromotion', promotionId: id, actor: 'user:bo', reason: 'r' };
    }),
    fc.tuple(alias, fc.option(n)).map(([to, one]): RegisteredModelCommand => {
      return { type: 'RollBack', alias: to, toVersion: one, reason: 'r' };
    }),
  );
}
