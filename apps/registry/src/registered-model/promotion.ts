import type { PromotionPolicy, RegisteredModelEvent } from '@mledger/contracts';
import { accept, canonicalJson, refuse, type Decision } from '@mledger/event-log';
import { evaluateGate, type GateEvidence, type GateResult } from './gates';
import type { PromotionState, RegisteredModelState, VersionState } from './model-state';

export interface SetPolicy {
  readonly type: 'SetPolicy';
  readonly policy: PromotionPolicy;
}

export interface RequestPromotion {
  readonly type: 'RequestPromotion';
  readonly promotionId: string;
  readonly version: number;
  readonly alias: string;
  readonly reason: string;
  readonly actor: string;
  /** Name of the pipeline that asks, if one does. */
  readonly pipeline: string | null;
  readonly evidence: GateEvidence;
}

export interface ApprovePromotion {
  readonly type: 'ApprovePromotion';
  readonly promotionId: string;
  readonly actor: string;
  readonly comment: string;
  readonly evidence: GateEvidence;
}

export interface ClosePromotion {
  readonly type: 'RejectPromotion' | 'WithdrawPromotion';
  readonly promotionId: string;
  readonly actor: string;
  readonly reason: string;
}

export interface RollBack {
  readonly type: 'RollBack';
  readonly alias: string;
  /** An earlier holder; null: the one before the present. */
  readonly toVersion: number | null;
  readonly reason: string;
}

type PromotionDecision = Decision<RegisteredModelEvent>;

/** Who holds the alias that a promotion is about, for whoever gathers the evidence. */
export function championOf(state: RegisteredModelState, alias: string): number | null {
  return state.aliases.get(alias) ?? null;
}

/** The gates that hold for an alias now; none where no policy protects it. */
export function policyFor(state: RegisteredModelState, alias: string): PromotionPolicy {
  return state.policy?.alias === alias
    ? state.policy
    : { alias, gates: [], approvals: 0, pipelinesWithoutApproval: [] };
}

/** Refused like this wherever an alias would move without its promotion. */
export function protectedAlias(state: RegisteredModelState, alias: string): Decision<never> | undefined {
  if (state.policy?.alias !== alias) return undefined;
  return refuse(
    'forbidden',
    'ALIAS_PROTECTED',
    `The promotion policy of ${state.name} protects the alias ${alias}: ` +
      `ask for a promotion with POST /api/mledger/v1/models/${encodeURIComponent(state.name)}/promotions`,
  );
}

export function setPolicy(state: RegisteredModelState, { policy }: SetPolicy): PromotionDecision {
  if (state.policy !== null && canonicalJson(state.policy) === canonicalJson(policy)) return accept();
  return accept({ type: 'PromotionPolicySet', data: { modelId: state.id, model: state.name, policy } });
}

export function removePolicy(state: RegisteredModelState): PromotionDecision {
  if (state.policy === null) return accept();
  return accept({ type: 'PromotionPolicyRemoved', data: { modelId: state.id, model: state.name } });
}

export function requestPromotion(state: RegisteredModelState, command: RequestPromotion): PromotionDecision {
  const { version, alias, promotionId, reason, pipeline } = command;
  const candidate = state.versions[version - 1];
  if (candidate === undefined || candidate.deleted) return unknownVersion(state, version);
  if (championOf(state, alias) === version) return alreadyHeld(state, command);
  for (const [id, other] of state.promotions) {
    if (other.status !== 'pending' || other.version !== version || other.alias !== alias) continue;
    const message = `Promotion ${id} already asks that version ${version} of ${state.name} hold ${alias}: approve or withdraw it`;
    return refuse('conflict', 'PROMOTION_PENDING', message, { promotionId: id });
  }
  const policy = policyFor(state, alias);
  const trusted = pipeline !== null && policy.pipelinesWithoutApproval.includes(pipeline);
  const approvalsNeeded = trusted ? 0 : policy.approvals;
  const requested = {
    type: 'PromotionRequested',
    data: { ...about(state, promotionId, command), reason, gates: policy.gates, approvalsNeeded },
  } as const;
  const promotion: PromotionState = {
    ...{ version, alias, reason, requestedBy: command.actor, gates: policy.gates },
    approvedBy: [],
    status: 'pending',
  };
  const outcome = holdGates(state, promotionId, promotion, command.evidence);
  if ('refusal' in outcome) return outcome;
  if (!outcome.passed || approvalsNeeded > 0) return accept(requested, ...outcome.events);
  return accept(requested, ...outcome.events, ...promote(state, promotionId, promotion, candidate));
}

export function approvePromotion(state: RegisteredModelState, command: ApprovePromotion): PromotionDecision {
  const { promotionId, actor, comment } = command;
  const promotion = state.promotions.get(promotionId);
  if (promotion === undefined) return unknownPromotion(promotionId);
  if (promotion.status !== 'pending') return alreadyClosed(promotionId, promotion);
  const candidate = state.versions[promotion.version - 1]!;
  if (actor === promotion.requestedBy || actor === candidate.author) {
    const role = actor === candidate.author ? 'made the version' : 'asked for the promotion';
    return refuse(
      'forbidden',
      'OWN_PROMOTION',
      `${actor} ${role}: somebody else has to approve promotion ${promotionId}`,
    );
  }
  if (championOf(state, promotion.alias) === promotion.version) return alreadyHeld(state, promotion);
  if (promotion.approvedBy.includes(actor)) return accept();
  const approvals = promotion.approvedBy.length + 1;
  const approvalsNeeded = policyFor(state, promotion.alias).approvals;
  const approved = {
    type: 'PromotionApproved',
    data: { ...about(state, promotionId, promotion), comment, approvals, approvalsNeeded },
  } as const;
  if (approvals < approvalsNeeded) return accept(approved);
  // The champion or its metrics may have changed since the request: what counts is the moment of promotion.
  const outcome = holdGates(state, promotionId, promotion, command.evidence);
  if ('refusal' in outcome) return outcome;
  if (!outcome.passed) return accept(approved, ...outcome.events);
  const agreed = { ...promotion, approvedBy: [...promotion.approvedBy, actor] };
  return accept(approved, ...outcome.events, ...promote(state, promotionId, agreed, candidate));
}

export function closePromotion(state: RegisteredModelState, command: ClosePromotion): PromotionDecision {
  const { promotionId, actor, reason } = command;
  const promotion = state.promotions.get(promotionId);
  if (promotion === undefined) return unknownPromotion(promotionId);
  if (promotion.status !== 'pending') return alreadyClosed(promotionId, promotion);
  const data = { ...about(state, promotionId, promotion), reason };
  if (command.type === 'RejectPromotion') return accept({ type: 'PromotionRejected', data });
  if (actor !== promotion.requestedBy) {
    const message = `Only ${promotion.requestedBy} may withdraw promotion ${promotionId}; an approver can reject it`;
    return refuse('forbidden', 'NOT_THE_REQUESTER', message);
  }
  return accept({ type: 'PromotionWithdrawn', data });
}

export function rollBack(state: RegisteredModelState, { alias, toVersion, reason }: RollBack): PromotionDecision {
  const fromVersion = championOf(state, alias);
  if (fromVersion === null) {
    const message = `No version of ${state.name} holds the alias ${alias}, so there is nothing to roll back: promote one`;
    return refuse('precondition', 'NOT_HELD', message);
  }
  const earlier = (state.holders.get(alias) ?? []).filter((one) => one !== fromVersion);
  const target = toVersion ?? earlier.findLast((one) => !state.versions[one - 1]!.deleted);
  if (target === undefined || !earlier.includes(target)) {
    const message =
      target === undefined
        ? `No earlier holder of the alias ${alias} of ${state.name} is left: promote another version`
        : `Version ${target} of ${state.name} is no earlier holder of ${alias} (those are: ${earlier.join(', ') || 'none'}); it can only be promoted`;
    return refuse('precondition', 'NEVER_HELD', message, { earlier });
  }
  const version = state.versions[target - 1]!;
  if (version.deleted) return unknownVersion(state, target);
  return accept(
    {
      type: 'PromotionRolledBack',
      data: { modelId: state.id, model: state.name, alias, fromVersion, toVersion: target, reason },
    },
    moved(state, { alias, toVersion: target, reason, promotionId: null }),
  );
}

/** The fact that an alias moved, with all that serving needs to deploy. The version has to exist. */
export function moved(
  state: RegisteredModelState,
  to: { alias: string; toVersion: number; reason: string; promotionId: string | null },
): RegisteredModelEvent {
  return {
    type: 'AliasMoved',
    data: {
      modelId: state.id,
      model: state.name,
      ...to,
      fromVersion: championOf(state, to.alias),
      ...state.versions[to.toVersion - 1]!.origin,
    },
  };
}

export function unknownVersion(state: RegisteredModelState, version: number): Decision<never> {
  return refuse('not-found', 'VERSION_NOT_FOUND', `Model Version (name=${state.name}, version=${version}) not found`);
}

function promote(
  state: RegisteredModelState,
  promotionId: string,
  promotion: PromotionState,
  candidate: VersionState,
): RegisteredModelEvent[] {
  const { alias, reason, requestedBy, approvedBy, version } = promotion;
  if (candidate.deleted) throw new Error(`version ${version} was deleted while promotion ${promotionId} was pending`);
  const fromVersion = championOf(state, alias);
  return [
    {
      type: 'ModelPromoted',
      data: { ...about(state, promotionId, promotion), fromVersion, reason, requestedBy, approvedBy: [...approvedBy] },
    },
    moved(state, { alias, toVersion: version, reason, promotionId }),
  ];
}

/** Evaluates the gates that hold now; a refusal means that the evidence is not about the present champion. */
function holdGates(
  state: RegisteredModelState,
  promotionId: string,
  promotion: PromotionState,
  evidence: GateEvidence,
): { readonly passed: boolean; readonly events: RegisteredModelEvent[] } | { refusal: StaleEvidence } {
  const champion = championOf(state, promotion.alias);
  const sides = { version: promotion.version, champion };
  const needed = champion === null ? [promotion.version] : [promotion.version, champion];
  if (needed.some((version) => !evidence.versions.includes(version))) return { refusal: STALE_EVIDENCE };
  const results = policyFor(state, promotion.alias).gates.map((gate) => evaluateGate(gate, sides, evidence));
  const data = about(state, promotionId, promotion);
  const events: RegisteredModelEvent[] = results.map((result) => ({
    type: 'GateEvaluated',
    data: { ...data, ...result },
  }));
  const failed = results.filter((result) => !result.passed);
  if (failed.length > 0) {
    events.push({ type: 'PromotionRefused', data: { ...data, explanations: failed.map(explain) } });
  }
  return { passed: failed.length === 0, events };
}

const STALE_EVIDENCE = {
  kind: 'conflict',
  code: 'STALE_EVIDENCE',
  message: 'The alias moved while the gates were being evaluated: ask again',
} as const;
type StaleEvidence = typeof STALE_EVIDENCE;

const explain = (result: GateResult): string => result.explanation;

function about(
  state: RegisteredModelState,
  promotionId: string,
  { version, alias }: { readonly version: number; readonly alias: string },
) {
  return { modelId: state.id, model: state.name, promotionId, version, alias };
}

function alreadyHeld(
  state: RegisteredModelState,
  { version, alias }: { readonly version: number; readonly alias: string },
): Decision<never> {
  return refuse('conflict', 'ALREADY_HELD', `Version ${version} of ${state.name} already holds the alias ${alias}`);
}

function unknownPromotion(promotionId: string): Decision<never> {
  return refuse('not-found', 'PROMOTION_NOT_FOUND', `There is no promotion ${promotionId}`);
}

function alreadyClosed(promotionId: string, promotion: PromotionState): Decision<never> {
  const message = `Promotion ${promotionId} is ${promotion.status} already; ask for a new one if need be`;
  return refuse('conflict', 'PROMOTION_CLOSED', message, { status: promotion.status });
}
