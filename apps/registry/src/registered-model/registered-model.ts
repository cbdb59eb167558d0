import type { ModelOrigin, RegisteredModelEvent } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider, type Decision } from '@mledger/event-log';
import { absentModel, evolve, type RegisteredModelState } from './model-state';
import {
  approvePromotion,
  championOf,
  closePromotion,
  moved,
  protectedAlias,
  removePolicy,
  requestPromotion,
  rollBack,
  setPolicy,
  unknownVersion,
  type ApprovePromotion,
  type ClosePromotion,
  type RequestPromotion,
  type RollBack,
  type SetPolicy,
} from './promotion';

interface Tag {
  readonly key: string;
  readonly value: string;
}

/** The stages of MLflow, as it writes them. */
export const STAGES = ['None', 'Staging', 'Production', 'Archived'] as const;
/** Entering one of these may archive who was there. */
const ACTIVE_STAGES: readonly string[] = ['Staging', 'Production'];

export type RegisteredModelCommand =
  | {
      readonly type: 'RegisterModel';
      readonly modelId: string;
      readonly name: string;
      readonly description: string;
      readonly tags: readonly Tag[];
    }
  | { readonly type: 'RenameModel'; readonly toName: string }
  | { readonly type: 'DescribeModel'; readonly description: string }
  | { readonly type: 'TagModel'; readonly key: string; readonly value: string }
  | { readonly type: 'UntagModel'; readonly key: string }
  | { readonly type: 'DeleteModel' }
  | {
      readonly type: 'CreateVersion';
      readonly origin: ModelOrigin;
      readonly runLink: string;
      readonly description: string;
      readonly tags: readonly Tag[];
    }
  | { readonly type: 'DescribeVersion'; readonly version: number; readonly description: string }
  | { readonly type: 'TagVersion'; readonly version: number; readonly key: string; readonly value: string }
  | { readonly type: 'UntagVersion'; readonly version: number; readonly key: string }
  | { readonly type: 'DeleteVersion'; readonly version: number }
  | {
      readonly type: 'TransitionStage';
      readonly version: number;
      readonly stage: (typeof STAGES)[number];
      readonly archiveExisting: boolean;
    }
  | { readonly type: 'SetAlias'; readonly alias: string; readonly version: number; readonly reason: string }
  | { readonly type: 'RemoveAlias'; readonly alias: string; readonly reason: string }
  | { readonly type: 'RemovePolicy' }
  | SetPolicy
  | RequestPromotion
  | ApprovePromotion
  | ClosePromotion
  | RollBack;

type ModelDecision = Decision<RegisteredModelEvent>;
type CommandOf<T extends RegisteredModelCommand['type']> = Extract<RegisteredModelCommand, { type: T }>;

export const registeredModelDecider: Decider<RegisteredModelState, RegisteredModelCommand, RegisteredModelEvent> = {
  kind: 'model',
  initial: absentModel,
  decide,
  evolve,
};

function decide(state: RegisteredModelState, command: RegisteredModelCommand): ModelDecision {
  if (command.type === 'RegisterModel') return register(state, command);
  if (state.status !== 'active') {
    return refuse('not-found', 'MODEL_NOT_FOUND', `Registered Model with name=${state.name} not found`);
  }
  const model = { modelId: state.id, model: state.name };
  switch (command.type) {
    case 'RenameModel':
      return accept({ type: 'ModelRenamed', data: { ...model, toName: command.toName } });
    case 'DescribeModel':
      return accept({ type: 'ModelDescribed', data: { ...model, description: command.description } });
    case 'TagModel':
      return accept({ type: 'ModelTagged', data: { ...model, key: command.key, value: command.value } });
    case 'UntagModel':
      return accept({ type: 'ModelUntagged', data: { ...model, key: command.key } });
    case 'DeleteModel':
      return deleteModel(state);
    case 'CreateVersion':
      return createVersion(state, command);
    case 'DescribeVersion':
    case 'TagVersion':
    case 'UntagVersion':
    case 'DeleteVersion':
    case 'TransitionStage':
      return decideVersion(state, command);
    case 'SetAlias':
      return setAlias(state, command);
    case 'RemoveAlias':
      return removeAlias(state, command);
    case 'SetPolicy':
      return setPolicy(state, command);
    case 'RemovePolicy':
      return removePolicy(state);
    case 'RequestPromotion':
      return requestPromotion(state, command);
    case 'ApprovePromotion':
      return approvePromotion(state, command);
    case 'RejectPromotion':
    case 'WithdrawPromotion':
      return closePromotion(state, command);
    case 'RollBack':
      return rollBack(state, command);
    default:
      return unreachable(command);
  }
}

function register(state: RegisteredModelState, command: CommandOf<'RegisterModel'>): ModelDecision {
  const { modelId, name, description, tags } = command;
  if (state.status !== 'absent')
    return refuse('exists', 'MODEL_EXISTS', `Registered Model (name=${name}) already exists.`);
  return accept({ type: 'ModelRegistered', data: { modelId, model: name, description, tags: lastOfEachKey(tags) } });
}

function deleteModel(state: RegisteredModelState): ModelDecision {
  for (const alias of state.aliases.keys()) {
    const refused = protectedAlias(state, alias);
    if (refused) return refused;
  }
  const model = { modelId: state.id, model: state.name };
  const versions = state.versions.flatMap((one, index) => (one.deleted ? [] : [index + 1]));
  const removed = [...state.aliases].map(([alias, holder]) =>
    aliasRemoved(state, alias, holder, 'the model was deleted'),
  );
  return accept(...removed, { type: 'ModelDeleted', data: { ...model, versions } });
}

function createVersion(state: RegisteredModelState, command: CommandOf<'CreateVersion'>): ModelDecision {
  const { origin, runLink, description, tags } = command;
  return accept({
    type: 'ModelVersionCreated',
    data: {
      ...{ modelId: state.id, model: state.name, version: state.versions.length + 1 },
      ...origin,
      ...{ runLink, description, tags: lastOfEachKey(tags) },
    },
  });
}

function decideVersion(
  state: RegisteredModelState,
  command: CommandOf<'DescribeVersion' | 'TagVersion' | 'UntagVersion' | 'DeleteVersion' | 'TransitionStage'>,
): ModelDecision {
  const { version } = command;
  const current = state.versions[version - 1];
  if (current === undefined || current.deleted) return unknownVersion(state, version);
  const data = { modelId: state.id, model: state.name, version };
  switch (command.type) {
    case 'DescribeVersion':
      return accept({ type: 'ModelVersionDescribed', data: { ...data, description: command.description } });
    case 'TagVersion':
      return accept({ type: 'ModelVersionTagged', data: { ...data, key: command.key, value: command.value } });
    case 'UntagVersion':
      return accept({ type: 'ModelVersionUntagged', data: { ...data, key: command.key } });
    case 'DeleteVersion':
      return deleteVersion(state, version);
    case 'TransitionStage':
      return transitionStage(state, command);
    default:
      return unreachable(command);
  }
}

function deleteVersion(state: RegisteredModelState, version: number): ModelDecision {
  const held = [...state.aliases].filter(([, holder]) => holder === version).map(([alias]) => alias);
  for (const alias of held) {
    const refused = protectedAlias(state, alias);
    if (refused) return refused;
  }
  const model = { modelId: state.id, model: state.name };
  const reason = `version ${version} was deleted`;
  const events: RegisteredModelEvent[] = [];
  for (const [promotionId, promotion] of state.promotions) {
    if (promotion.status !== 'pending' || promotion.version !== version) continue;
    const data = { ...model, promotionId, version, alias: promotion.alias, reason };
    events.push({ type: 'PromotionWithdrawn', data });
  }
  events.push(...held.map((alias) => aliasRemoved(state, alias, version, reason)));
  return accept(...events, { type: 'ModelVersionDeleted', data: { ...model, version } });
}

function transitionStage(state: RegisteredModelState, command: CommandOf<'TransitionStage'>): ModelDecision {
  const { version, stage, archiveExisting } = command;
  if (archiveExisting && !ACTIVE_STAGES.includes(stage)) {
    const message =
      'Model version transition cannot archive existing model versions because ' +
      `'${stage}' is not an Active stage. Valid stages are ${ACTIVE_STAGES.join(', ')}`;
    return refuse('invalid', 'STAGE_NOT_ACTIVE', message);
  }
  const events: RegisteredModelEvent[] = [];
  state.versions.forEach((one, index) => {
    const number = index + 1;
    const archives = archiveExisting && number !== version && one.stage === stage && !one.deleted;
    const toStage = number === version ? stage : archives ? 'Archived' : one.stage;
    if (toStage === one.stage) return;
    const data = { modelId: state.id, model: state.name, version: number, fromStage: one.stage, toStage };
    events.push({ type: 'StageTransitioned', data });
  });
  return accept(...events);
}

function setAlias(state: RegisteredModelState, command: CommandOf<'SetAlias'>): ModelDecision {
  const { alias, version, reason } = command;
  const holder = state.versions[version - 1];
  if (holder === undefined || holder.deleted) return unknownVersion(state, version);
  if (championOf(state, alias) === version) return accept();
  return protectedAlias(state, alias) ?? accept(moved(state, { alias, toVersion: version, reason, promotionId: null }));
}

function removeAlias(state: RegisteredModelState, { alias, reason }: CommandOf<'RemoveAlias'>): ModelDecision {
  const fromVersion = championOf(state, alias);
  if (fromVersion === null) return accept();
  return protectedAlias(state, alias) ?? accept(aliasRemoved(state, alias, fromVersion, reason));
}

function aliasRemoved(
  state: RegisteredModelState,
  alias: string,
  fromVersion: number,
  reason: string,
): RegisteredModelEvent {
  return { type: 'AliasRemoved', data: { modelId: state.id, model: state.name, alias, fromVersion, reason } };
}

/** A tag given twice counts once, with its last value, as in MLflow. */
function lastOfEachKey(tags: readonly Tag[]): Tag[] {
  return [...new Map(tags.map(({ key, value }) => [key, { key, value }])).values()];
}
