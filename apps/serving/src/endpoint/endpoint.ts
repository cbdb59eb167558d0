import type { EndpointEvent, EndpointFollows, ServedModel } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider, type Decision, type Recorded } from '@mledger/event-log';

export interface Revision {
  readonly revision: number;
  readonly servedModel: ServedModel;
}

export interface TrafficShare {
  readonly revision: number;
  readonly percent: number;
}

export interface Endpoint {
  readonly exists: boolean;
  readonly endpointId: string;
  readonly endpoint: string;
  readonly follows: EndpointFollows;
  readonly revisions: readonly Revision[];
  /** The number of the next revision; failed ones use theirs up. */
  readonly nextRevision: number;
  /** Percentages that add up to 100; empty until something was deployed. */
  readonly shares: readonly TrafficShare[];
  readonly shadows: readonly number[];
}

export type EndpointCommand =
  | {
      readonly type: 'CreateEndpoint';
      readonly endpointId: string;
      readonly endpoint: string;
      readonly follows: EndpointFollows;
    }
  | { readonly type: 'Retarget'; readonly follows: EndpointFollows }
  | { readonly type: 'FollowRename'; readonly fromName: string; readonly toName: string }
  | { readonly type: 'DeployModel'; readonly servedModel: ServedModel; readonly reason: string }
  | { readonly type: 'RecordFailedRevision'; readonly reason: string }
  | { readonly type: 'ShiftTraffic'; readonly shares: readonly TrafficShare[]; readonly reason: string }
  | { readonly type: 'AttachShadow'; readonly revision: number }
  | { readonly type: 'DetachShadow'; readonly revision: number }
  | { readonly type: 'RollBack'; readonly toRevision: number | null; readonly reason: string }
  | { readonly type: 'DeleteEndpoint' };

/** How many revisions an endpoint keeps ready to be rolled back to; older ones are history only. */
export const REVISIONS_KEPT_MAX = 20;

const initial: Endpoint = {
  exists: false,
  endpointId: '',
  endpoint: '',
  follows: { model: '', alias: null, version: null },
  revisions: [],
  nextRevision: 1,
  shares: [],
  shadows: [],
};

export const endpointDecider: Decider<Endpoint, EndpointCommand, EndpointEvent> = {
  kind: 'endpoint',
  initial,
  decide,
  evolve,
};

function decide(state: Endpoint, command: EndpointCommand): Decision<EndpointEvent> {
  const { endpointId, endpoint } = state;
  if (command.type === 'CreateEndpoint') {
    if (state.exists) return refuse('exists', 'ENDPOINT_EXISTS', `endpoint ${state.endpoint} exists already`);
    const { endpointId, endpoint, follows } = command;
    return accept({ type: 'EndpointCreated', data: { endpointId, endpoint, follows } });
  }
  if (!state.exists) return refuse('not-found', 'ENDPOINT_NOT_FOUND', 'there is no such endpoint');
  switch (command.type) {
    case 'Retarget':
      if (sameTarget(state.follows, command.follows)) return accept();
      return accept({ type: 'EndpointRetargeted', data: { endpointId, endpoint, follows: command.follows } });
    case 'FollowRename': {
      if (state.follows.model !== command.fromName) return accept();
      const follows = { ...state.follows, model: command.toName };
      return accept({ type: 'EndpointRetargeted', data: { endpointId, endpoint, follows } });
    }
    case 'DeployModel':
      return deploy(state, command);
    case 'RecordFailedRevision': {
      const data = { endpointId, endpoint, revision: state.nextRevision, reason: command.reason };
      return accept({ type: 'RevisionFailed', data });
    }
    case 'ShiftTraffic':
      return shiftTraffic(state, command);
    case 'AttachShadow':
      if (state.shadows.includes(command.revision)) return accept();
      return (
        unknownRevision(state, command.revision) ??
        accept({ type: 'ShadowAttached', data: { endpointId, endpoint, revision: command.revision } })
      );
    case 'DetachShadow':
      if (!state.shadows.includes(command.revision)) return accept();
      return accept({ type: 'ShadowDetached', data: { endpointId, endpoint, revision: command.revision } });
    case 'RollBack':
      return rollBack(state, command);
    case 'DeleteEndpoint':
      return accept({ type: 'EndpointDeleted', data: { endpointId, endpoint } });
    default:
      return unreachable(command);
  }
}

function sameTarget(one: EndpointFollows, other: EndpointFollows): boolean {
  return one.model === other.model && one.alias === other.alias && one.version === other.version;
}

function deploy(state: Endpoint, command: Extract<EndpointCommand, { type: 'DeployModel' }>): Decision<EndpointEvent> {
  const { servedModel, reason } = command;
  const [only] = state.shares;
  const serving = state.shares.length === 1 && only ? revisionOf(state, only.revision)?.servedModel : undefined;
  // An alias that moves away and back, or an event told twice, must not add a revision that changes nothing.
  if (serving?.modelId === servedModel.modelId && serving.version === servedModel.version) return accept();
  const { endpointId, endpoint, nextRevision: revision } = state;
  return accept({ type: 'RevisionDeployed', data: { endpointId, endpoint, revision, servedModel, reason } });
}

function shiftTraffic(
  state: Endpoint,
  command: Extract<EndpointCommand, { type: 'ShiftTraffic' }>,
): Decision<EndpointEvent> {
  const { shares, reason } = command;
  const revisions = shares.map(({ revision }) => revision);
  if (new Set(revisions).size !== revisions.length) {
    return refuse('invalid', 'SHARES_REPEAT', 'a revision is named twice; give each its share once');
  }
  const percentSum = shares.reduce((sum, { percent }) => sum + percent, 0);
  if (Math.abs(percentSum - 100) > 1e-9) {
    return refuse('invalid', 'SHARES_NOT_100', `the shares add up to ${percentSum} percent, not 100`);
  }
  for (const revision of revisions) {
    const refusal = unknownRevision(state, revision);
    if (refusal) return refusal;
  }
  const { endpointId, endpoint } = state;
  return accept({ type: 'TrafficShifted', data: { endpointId, endpoint, shares: [...shares], reason } });
}

function rollBack(state: Endpoint, command: Extract<EndpointCommand, { type: 'RollBack' }>): Decision<EndpointEvent> {
  const fromRevision = Math.max(0, ...state.shares.map(({ revision }) => revision));
  const earlier = state.revisions.filter(({ revision }) => revision < fromRevision).at(-1);
  const toRevision = command.toRevision ?? earlier?.revision;
  if (toRevision === undefined) {
    return refuse('conflict', 'NOTHING_TO_ROLL_BACK_TO', `${state.endpoint} has no revision before ${fromRevision}`);
  }
  const refusal = unknownRevision(state, toRevision);
  if (refusal) return refusal;
  const { endpointId, endpoint } = state;
  const data = { endpointId, endpoint, fromRevision, toRevision, reason: command.reason };
  return accept({ type: 'RevisionRolledBack', data });
}

function unknownRevision(state: Endpoint, revision: number): Decision<never> | undefined {
  if (revisionOf(state, revision)) return undefined;
  const known = state.revisions.map((kept) => kept.revision).join(', ') || 'none';
  return refuse('not-found', 'REVISION_NOT_FOUND', `${state.endpoint} has no revision ${revision}; it keeps ${known}`);
}

/** A kept revision by its number. */
export function revisionOf(state: Endpoint, revision: number): Revision | undefined {
  return state.revisions.find((kept) => kept.revision === revision);
}

function evolve(state: Endpoint, event: Recorded<EndpointEvent>): Endpoint {
  switch (event.type) {
    case 'EndpointCreated':
      return { ...initial, exists: true, ...event.data };
    case 'EndpointRetargeted':
      return { ...state, follows: event.data.follows };
    case 'RevisionDeployed': {
      const { revision, servedModel } = event.data;
      const revisions = [...state.revisions, { revision, servedModel }].slice(-REVISIONS_KEPT_MAX);
      return { ...state, revisions, nextRevision: revision + 1, shares: [{ revision, percent: 100 }] };
    }
    case 'RevisionFailed':
      return { ...state, nextRevision: event.data.revision + 1 };
    case 'TrafficShifted':
      return { ...state, shares: event.data.shares };
    case 'ShadowAttached':
      return { ...state, shadows: [...state.shadows, event.data.revision] };
    case 'ShadowDetached':
      return { ...state, shadows: state.shadows.filter((revision) => revision !== event.data.revision) };
    case 'RevisionRolledBack':
      return { ...state, shares: [{ revision: event.data.toRevision, percent: 100 }] };
    case 'EndpointDeleted':
      return { ...state, exists: false, shares: [], shadows: [] };
    default:
      return unreachable(event);
  }
}
