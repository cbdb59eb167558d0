import * as fc from 'fast-check';
import type { PromotionGate, PromotionPolicy } from '@mledger/contracts';
import { modelWith, type ModelHistory } from '../../test/model-history';
import type { GateEvidence } from './gates';

const AUC_FLOOR: PromotionGate = { metric: 'auc', atLeast: 0.6 };
const NOT_WORSE: PromotionGate = { metric: 'auc', notWorseThanChampion: { tolerance: 0.01, lowerIsBetter: false } };

/** Figures by version; a version that is named without a figure was looked up in vain. */
function auc(figures: Record<number, number | 'NaN' | undefined>): GateEvidence {
  const entries = Object.entries(figures).map(([version, value]) => ({ version: Number(version), value }));
  return {
    versions: entries.map(({ version }) => version),
    observations: entries.flatMap(({ version, value }) =>
      value === undefined
        ? []
        : [{ metric: 'auc', version, value, runId: `run${version}`, step: 0, timestampMs: 1, eventId: `m${version}` }],
    ),
  };
}

function withPolicy(versions: number, policy: Partial<PromotionPolicy>): ModelHistory {
  const model = modelWith(versions);
  const rest = { alias: 'champion', gates: [], approvals: 0, pipelinesWithoutApproval: [] };
  model.do({ type: 'SetPolicy', policy: { ...rest, ...policy } });
  return model;
}

let promotions = 0;
const request = (version: number, evidence: GateEvidence, pipeline: string | null = null) => ({
  ...({ type: 'RequestPromotion', alias: 'champion', reason: 'better', actor: 'user:ana' } as const),
  ...{ promotionId: `p${(promotions += 1)}`, version, evidence, pipeline },
});
const approve = (promotionId: string, actor: string, evidence: GateEvidence) =>
  ({ type: 'ApprovePromotion', promotionId, actor, comment: 'seen', evidence }) as const;
const types = (events: readonly { type: string }[]) => events.map((event) => event.type);

describe('a promotion', () => {
  it('happens at once when gates pass and nobody has to approve, with alias and promotion in one append', () => {
    const model = withPolicy(1, { gates: [AUC_FLOOR, NOT_WORSE] });
    const events = model.do(request(1, auc({ 1: 0.7 })));
    expect(types(events)).toEqual([
      'PromotionRequested',
      'GateEvaluated',
      'GateEvaluated',
      'ModelPromoted',
      'AliasMoved',
    ]);
    expect(events[1]?.data).toMatchObject({
      passed: true,
      threshold: 0.6,
      observed: { value: 0.7, runId: 'run1', eventId: 'm1' },
      explanation: 'auc is 0.7, at least 0.6',
    });
    expect(events[2]?.data).toMatchObject({ passed: true, champion: null, threshold: null });
  });

  it('is refused with the figures when the model is worse than the champion', () => {
    const model = withPolicy(2, { gates: [NOT_WORSE] });
    model.do(request(1, auc({ 1: 0.7 })));
    const events = model.do(request(2, auc({ 1: 0.7, 2: 0.65 })));
    expect(types(events)).toEqual(['PromotionRequested', 'GateEvaluated', 'PromotionRefused']);
    expect(events[2]?.data).toMatchObject({
      explanations: ["auc is 0.65, worse than the champion's 0.7 (version 1, tolerance 0.01)"],
    });
    expect(model.state.aliases.get('champion')).toBe(1);
  });

  it.each([
    ['never recorded', auc({ 1: undefined }), 'auc was never recorded for version 1'],
    ['not a number', auc({ 1: 'NaN' }), 'auc is NaN, below 0.6'],
    ['too small', auc({ 1: 0.59 }), 'auc is 0.59, below 0.6'],
  ])('is refused when the metric is %s', (_case, evidence, explanation) => {
    const [, gate] = withPolicy(1, { gates: [AUC_FLOOR] }).do(request(1, evidence));
    expect(gate?.data).toMatchObject({ passed: false, explanation: expect.stringContaining(explanation) });
  });

  it('is not compared with a champion that was never measured', () => {
    const model = withPolicy(2, {});
    model.do(request(1, auc({ 1: undefined })));
    const policy = { alias: 'champion', gates: [NOT_WORSE], approvals: 0, pipelinesWithoutApproval: [] };
    model.do({ type: 'SetPolicy', policy });
    const events = model.do(request(2, auc({ 1: undefined, 2: 0.9 })));
    expect(events.at(-1)).toMatchObject({ type: 'PromotionRefused' });
  });

  it('waits for as many others as the policy names', () => {
    const model = withPolicy(1, { approvals: 2 });
    const asked = request(1, auc({ 1: undefined }));
    expect(types(model.do(asked))).toEqual(['PromotionRequested']);
    const by = (actor: string) => model.do(approve(asked.promotionId, actor, asked.evidence), actor);
    expect(types(by('user:bo'))).toEqual(['PromotionApproved']);
    expect(by('user:bo')).toEqual([]);
    const events = by('user:cy');
    expect(types(events)).toEqual(['PromotionApproved', 'ModelPromoted', 'AliasMoved']);
    expect(events[1]?.data).toMatchObject({ requestedBy: 'user:ana', approvedBy: ['user:bo', 'user:cy'] });
  });

  it('cannot be approved by the author of the version, nor by the requester', () => {
    const model = withPolicy(1, { approvals: 1 });
    const asked = { ...request(1, auc({ 1: 1 })), actor: 'user:dee' };
    model.do(asked, 'user:dee');
    for (const actor of ['user:ana', 'user:dee']) {
      expect(model.try(approve(asked.promotionId, actor, asked.evidence), actor)).toMatchObject({
        refusal: { kind: 'forbidden', code: 'OWN_PROMOTION' },
      });
    }
  });

  it('meets its gates again when it is approved, against the champion of that moment', () => {
    const model = withPolicy(3, { gates: [NOT_WORSE], approvals: 1, pipelinesWithoutApproval: ['retrain'] });
    const first = request(2, auc({ 2: 0.7 }));
    model.do(first);
    model.do(request(3, auc({ 3: 0.8 }), 'retrain'), 'pipeline:1');
    const stale = model.try(approve(first.promotionId, 'user:bo', first.evidence), 'user:bo');
    expect(stale).toMatchObject({ refusal: { code: 'STALE_EVIDENCE' } });
    const events = model.do(approve(first.promotionId, 'user:bo', auc({ 2: 0.7, 3: 0.8 })), 'user:bo');
    expect(types(events)).toEqual(['PromotionApproved', 'GateEvaluated', 'PromotionRefused']);
  });

  it('of a trusted pipeline needs no approval, but passes the gates', () => {
    const model = withPolicy(2, { gates: [AUC_FLOOR], approvals: 1, pipelinesWithoutApproval: ['retrain'] });
    expect(model.do(request(1, auc({ 1: 0.5 }), 'retrain')).at(-1)?.type).toBe('PromotionRefused');
    expect(model.do(request(1, auc({ 1: 0.7 }), 'retrain')).at(-1)?.type).toBe('AliasMoved');
    expect(model.do(request(2, auc({ 1: 0.7, 2: 0.7 }), 'other')).at(-1)?.type).toBe('GateEvaluated');
  });

  it('is closed once, by an approver or by who asked', () => {
    const model = withPolicy(1, { approvals: 1 });
    const asked = request(1, auc({ 1: 1 }));
    model.do(asked);
    const { promotionId } = asked;
    expect(
      model.try({ type: 'WithdrawPromotion', promotionId, actor: 'user:bo', reason: '' }, 'user:bo'),
    ).toMatchObject({ refusal: { kind: 'forbidden' } });
    expect(model.try(request(1, asked.evidence))).toMatchObject({ refusal: { code: 'PROMOTION_PENDING' } });
    model.do({ type: 'RejectPromotion', promotionId, actor: 'user:bo', reason: 'no' }, 'user:bo');
    expect(model.try(approve(promotionId, 'user:bo', asked.evidence))).toMatchObject({
      refusal: { code: 'PROMOTION_CLOSED', kind: 'conflict' },
    });
  });

  it('is withdrawn with its version', () => {
    const model = withPolicy(1, { approvals: 1 });
    model.do(request(1, auc({ 1: 1 })));
    expect(types(model.do({ type: 'DeleteVersion', version: 1 }))).toEqual([
      'PromotionWithdrawn',
      'ModelVersionDeleted',
    ]);
  });
});

describe('a rollback', () => {
  const champions = (...versions: number[]) => {
    const model = withPolicy(Math.max(...versions), {});
    for (const version of versions) model.do(request(version, auc({ 1: 0, 2: 0, 3: 0, 4: 0 })));
    return model;
  };
  const rollBack = (model: ModelHistory, toVersion: number | null = null) =>
    model.try({ type: 'RollBack', alias: 'champion', toVersion, reason: 'errors doubled' });

  it('goes back holder by holder, not to and fro', () => {
    const model = champions(1, 2, 3);
    expect(rollBack(model)).toMatchObject({
      events: [
        { type: 'PromotionRolledBack', data: { fromVersion: 3, toVersion: 2 } },
        { type: 'AliasMoved', data: { fromVersion: 3, toVersion: 2, reason: 'errors doubled' } },
      ],
    });
    expect(rollBack(model)).toMatchObject({ events: [{ data: { toVersion: 1 } }, {}] });
    expect(rollBack(model)).toMatchObject({ refusal: { kind: 'precondition' } });
  });

  it('reaches only earlier holders that still exist', () => {
    const model = champions(1, 2, 4);
    expect(rollBack(model, 3)).toMatchObject({ refusal: { code: 'NEVER_HELD', details: { earlier: [1, 2] } } });
    model.do({ type: 'DeleteVersion', version: 2 });
    expect(rollBack(model)).toMatchObject({ events: [{ data: { toVersion: 1 } }, {}] });
  });

  it('needs a holder', () => {
    expect(rollBack(modelWith(1))).toMatchObject({ refusal: { code: 'NOT_HELD' } });
  });
});

describe('gates', () => {
  it('never let a champion be replaced by one that is worse than the tolerance allows', () => {
    const figure = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(figure, figure, fc.boolean(), (champion, candidate, lowerIsBetter) => {
        const tolerance = 0.01;
        const gate = { metric: 'auc', notWorseThanChampion: { tolerance, lowerIsBetter } };
        const model = withPolicy(2, { gates: [gate] });
        model.do(request(1, auc({ 1: champion })));
        model.do(request(2, auc({ 1: champion, 2: candidate })));
        const loss = lowerIsBetter ? candidate - champion : champion - candidate;
        if (model.state.aliases.get('champion') === 2) expect(loss).toBeLessThanOrEqual(tolerance + 1e-12);
        else expect(loss).toBeGreaterThan(tolerance - 1e-12);
      }),
    );
  });
});
