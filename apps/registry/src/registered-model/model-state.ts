import type { ModelOrigin, PromotionGate, PromotionPolicy, RegisteredModelEvent } from '@mledger/contracts';
import { unreachable, type Recorded } from '@mledger/event-log';

export interface VersionState {
  readonly origin: ModelOrigin;
  /** Who made it: may not approve its promotion. */
  readonly author: string;
  readonly stage: string;
  readonly deleted: boolean;
}

export interface PromotionState {
  readonly version: number;
  readonly alias: string;
  readonly reason: string;
  readonly requestedBy: string;
  readonly gates: readonly PromotionGate[];
  readonly approvedBy: readonly string[];
  readonly status: 'pending' | 'promoted' | 'refused' | 'rejected' | 'withdrawn';
}

export interface RegisteredModelState {
  readonly status: 'absent' | 'active' | 'deleted';
  readonly id: string;
  readonly name: string;
  /** Version n stands at n - 1: numbers are dense, deleted ones keep their place. */
  readonly versions: readonly VersionState[];
  readonly aliases: ReadonlyMap<string, number>;
  /** Who held an alias, the present holder last; a rollback cuts it back. */
  readonly holders: ReadonlyMap<string, readonly number[]>;
  readonly policy: PromotionPolicy | null;
  readonly promotions: ReadonlyMap<string, PromotionState>;
}

export const absentModel: RegisteredModelState = {
  status: 'absent',
  id: '',
  name: '',
  versions: [],
  aliases: new Map(),
  holders: new Map(),
  policy: null,
  promotions: new Map(),
};

/** Applies one event. Tags and descriptions are left out: no decision depends on them. */
export function evolve(state: RegisteredModelState, event: Recorded<RegisteredModelEvent>): RegisteredModelState {
  switch (event.type) {
    case 'ModelRegistered':
      return { ...absentModel, status: 'active', id: event.data.modelId, name: event.data.model };
    case 'ModelRenamed':
      return { ...state, name: event.data.toName };
    case 'ModelDeleted':
      return { ...state, status: 'deleted', aliases: new Map() };
    case 'ModelDescribed':
    case 'ModelTagged':
    case 'ModelUntagged':
    case 'ModelVersionDescribed':
    case 'ModelVersionTagged':
    case 'ModelVersionUntagged':
    case 'GateEvaluated':
      return state;
    case 'ModelVersionCreated':
      return { ...state, versions: [...state.versions, createdVersion(event)] };
    case 'ModelVersionDeleted':
      return withVersion(state, event.data.version, { deleted: true });
    case 'StageTransitioned':
      return withVersion(state, event.data.version, { stage: event.data.toStage });
    case 'AliasMoved':
      return movedAlias(state, event.data.alias, event.data.toVersion);
    case 'AliasRemoved':
      return { ...state, aliases: without(state.aliases, event.data.alias) };
    case 'PromotionPolicySet':
      return { ...state, policy: event.data.policy };
    case 'PromotionPolicyRemoved':
      return { ...state, policy: null };
    case 'PromotionRolledBack':
      return cutBack(state, event.data.alias, event.data.toVersion);
    case 'PromotionRequested':
    case 'PromotionApproved':
    case 'PromotionRefused':
    case 'PromotionRejected':
    case 'PromotionWithdrawn':
    case 'ModelPromoted':
      return evolvePromotion(state, event);
    default:
      return unreachable(event);
  }
}

type PromotionEvent = Extract<
  Recorded<RegisteredModelEvent>,
  {
    type:
      | 'PromotionRequested'
      | 'PromotionApproved'
      | 'PromotionRefused'
      | 'PromotionRejected'
      | 'PromotionWithdrawn'
      | 'ModelPromoted';
  }
>;

function evolvePromotion(state: RegisteredModelState, event: PromotionEvent): RegisteredModelState {
  const { promotionId } = event.data;
  if (event.type === 'PromotionRequested') {
    const { version, alias, reason, gates } = event.data;
    return withPromotion(state, promotionId, {
      ...{ version, alias, reason, gates },
      requestedBy: event.actor,
      approvedBy: [],
      status: 'pending',
    });
  }
  const promotion = state.promotions.get(promotionId);
  if (promotion === undefined) throw new Error(`event ${event.id} names promotion ${promotionId}, which never began`);
  switch (event.type) {
    case 'PromotionApproved':
      return withPromotion(state, promotionId, { ...promotion, approvedBy: [...promotion.approvedBy, event.actor] });
    case 'PromotionRefused':
      return withPromotion(state, promotionId, { ...promotion, status: 'refused' });
    case 'PromotionRejected':
      return withPromotion(state, promotionId, { ...promotion, status: 'rejected' });
    case 'PromotionWithdrawn':
      return withPromotion(state, promotionId, { ...promotion, status: 'withdrawn' });
    case 'ModelPromoted':
      return withPromotion(state, promotionId, { ...promotion, status: 'promoted' });
    default:
      return unreachable(event);
  }
}

function createdVersion(event: Extract<Recorded<RegisteredModelEvent>, { type: 'ModelVersionCreated' }>): VersionState {
  const { source, artifactLocation, runId, experimentId, loggedModelId, manifestSha256, files } = event.data;
  return {
    origin: { source, artifactLocation, runId, experimentId, loggedModelId, manifestSha256, files },
    author: event.actor,
    stage: 'None',
    deleted: false,
  };
}

function withVersion(
  state: RegisteredModelState,
  version: number,
  change: Partial<VersionState>,
): RegisteredModelState {
  return {
    ...state,
    versions: state.versions.map((one, index) => (index === version - 1 ? { ...one, ...change } : one)),
  };
}

function withPromotion(
  state: RegisteredModelState,
  promotionId: string,
  promotion: PromotionState,
): RegisteredModelState {
  return { ...state, promotions: new Map(state.promotions).set(promotionId, promotion) };
}

function movedAlias(state: RegisteredModelState, alias: string, toVersion: number): RegisteredModelState {
  const held = state.holders.get(alias) ?? [];
  return {
    ...state,
    aliases: new Map(state.aliases).set(alias, toVersion),
    // A rollback has already cut the list back to its target, which is then not a new holder.
    holders: held.at(-1) === toVersion ? state.holders : new Map(state.holders).set(alias, [...held, toVersion]),
  };
}

function cutBack(state: RegisteredModelState, alias: string, toVersion: number): RegisteredModelState {
  const held = state.holders.get(alias) ?? [];
  return {
    ...state,
    holders: new Map(state.holders).set(alias, held.slice(0, held.lastIndexOf(toVersion) + 1)),
  };
}

function without(aliases: ReadonlyMap<string, number>, alias: string): ReadonlyMap<string, number> {
  const rest = new Map(aliases);
  rest.delete(alias);
  return rest;
}
