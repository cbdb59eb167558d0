import type { DatasetInput, ExperimentsEvent } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider, type Decision, type Recorded } from '@mledger/event-log';
import { lastOfEachKey, withoutKey, withPairs } from '../key-values';
import { batchFault, type RunBatch } from './run-batch';

/** MLflow keeps a run's name in this tag too; whichever is set last is the name. */
export const RUN_NAME_TAG = 'mlflow.runName';
/** Where clients before 3.0 recorded the models of a run, as one JSON list. */
const LOGGED_MODELS_TAG = 'mlflow.log-model.history';

export type RunStatus = 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';
type FinalStatus = 'FINISHED' | 'FAILED' | 'KILLED';

type RunEventType =
  | 'RunStarted'
  | 'ParamsLogged'
  | 'MetricsLogged'
  | 'RunTagged'
  | 'RunTagRemoved'
  | 'RunRenamed'
  | 'InputsLogged'
  | 'OutputsLogged'
  | 'RunFinished'
  | 'RunResumed'
  | 'RunDeleted'
  | 'RunRestored'
  | 'ArtifactStored'
  | 'ArtifactsDeleted';
export type RunEvent = Extract<ExperimentsEvent, { type: RunEventType }>;

type Data<T extends RunEventType> = Extract<RunEvent, { type: T }>['data'];

/** What decisions need of a run; its metrics and artifacts are in the log and in the projections alone. */
export type RunState =
  | { readonly lifecycle: 'none' }
  | {
      readonly lifecycle: 'active' | 'deleted';
      readonly experimentId: string;
      readonly name: string;
      readonly status: RunStatus;
      readonly endTime?: number;
      readonly params: ReadonlyMap<string, string>;
      readonly tags: ReadonlyMap<string, string>;
      /** Inputs and outputs that are linked already, as `datasetLink`, `input` and `output` name them. */
      readonly links: ReadonlySet<string>;
    };

export type RunCommand = { readonly runId: string } & (
  | ({ readonly type: 'StartRun' } & Omit<Data<'RunStarted'>, 'runId'>)
  | ({ readonly type: 'LogBatch' } & RunBatch)
  | { readonly type: 'RemoveRunTag'; readonly key: string }
  | {
      readonly type: 'UpdateRun';
      readonly status?: RunStatus;
      readonly endTime?: number;
      readonly name?: string;
      /** Milliseconds; the end of a run whose client named none. */
      readonly at: number;
    }
  | { readonly type: 'RecordModel'; readonly model: Readonly<Record<string, unknown>> }
  | {
      readonly type: 'LogInputs';
      readonly datasets: readonly DatasetInput[];
      readonly models: Data<'InputsLogged'>['models'];
    }
  | { readonly type: 'LogOutputs'; readonly models: Data<'OutputsLogged'>['models'] }
  | { readonly type: 'StoreArtifact'; readonly artifact: Omit<Data<'ArtifactStored'>, 'runId' | 'modelId'> }
  | { readonly type: 'DeleteArtifacts'; readonly experimentId: string; readonly paths: readonly string[] }
  | { readonly type: 'DeleteRun' }
  | { readonly type: 'RestoreRun' }
);

type Existing = Exclude<RunState, { lifecycle: 'none' }>;
type ActiveCommand = Exclude<RunCommand, { type: 'StartRun' | 'DeleteRun' | 'RestoreRun' }>;

function decide(state: RunState, command: RunCommand): Decision<RunEvent> {
  const { runId } = command;
  if (command.type === 'StartRun') {
    if (state.lifecycle !== 'none') return refuse('exists', 'RUN_EXISTS', `Run with id=${runId} already exists.`);
    const { experimentId, name, userId, startTime, artifactUri } = command;
    const tags = lastOfEachKey(command.tags);
    return accept({ type: 'RunStarted', data: { runId, experimentId, name, userId, startTime, artifactUri, tags } });
  }
  if (state.lifecycle === 'none') return refuse('not-found', 'RUN_NOT_FOUND', `Run with id=${runId} not found`);
  // Deleting what is deleted and restoring what is active change nothing: MLflow says yes, and so a retry is safe.
  if (command.type === 'DeleteRun') {
    return state.lifecycle === 'deleted' ? accept() : accept({ type: 'RunDeleted', data: { runId } });
  }
  if (command.type === 'RestoreRun') {
    return state.lifecycle === 'active' ? accept() : accept({ type: 'RunRestored', data: { runId } });
  }
  if (state.lifecycle === 'deleted') return refuse('invalid', 'RUN_DELETED', runNotActive(runId));
  return decideActive(state, command);
}

export function runNotActive(runId: string): string {
  return `The run ${runId} must be in the 'active' state. Current state is deleted. Restore it first.`;
}

function decideActive(state: Existing, command: ActiveCommand): Decision<RunEvent> {
  const { runId } = command;
  switch (command.type) {
    case 'LogBatch':
      return decideBatch(state, command);
    case 'RemoveRunTag': {
      const { key } = command;
      if (state.tags.has(key)) return accept({ type: 'RunTagRemoved', data: { runId, key } });
      return refuse('not-found', 'TAG_NOT_FOUND', `No tag with name: ${key} in run with id ${runId}`);
    }
    case 'UpdateRun':
      return decideUpdate(state, command);
    case 'RecordModel':
      return decideRecordModel(state, command);
    case 'LogInputs': {
      const datasets = notYetLinked(state, command.datasets, datasetLink);
      const models = notYetLinked(state, command.models, inputLink);
      if (datasets.length + models.length === 0) return accept();
      return accept({ type: 'InputsLogged', data: { runId, datasets, models } });
    }
    case 'LogOutputs': {
      const models = notYetLinked(state, command.models, outputLink);
      return models.length === 0 ? accept() : accept({ type: 'OutputsLogged', data: { runId, models } });
    }
    case 'StoreArtifact':
      return accept({ type: 'ArtifactStored', data: { runId, ...command.artifact } });
    case 'DeleteArtifacts': {
      const { experimentId, paths } = command;
      return accept({ type: 'ArtifactsDeleted', data: { runId, experimentId, paths: [...paths] } });
    }
    default:
      return unreachable(command);
  }
}

/** At most three events, appended together: all of a batch is logged, or nothing. */
function decideBatch(state: Existing, command: Extract<RunCommand, { type: 'LogBatch' }>): Decision<RunEvent> {
  const { runId, metrics } = command;
  const fault = batchFault(command);
  if (fault) return refuse('invalid', 'BATCH_INVALID', fault);
  const changed = command.params.find(({ key, value }) => state.params.has(key) && state.params.get(key) !== value);
  if (changed) {
    const message =
      `Changing param values is not allowed. Param with key='${changed.key}' was already logged with ` +
      `value='${state.params.get(changed.key)}' for run ID='${runId}'. Attempted logging new value '${changed.value}'.`;
    return refuse('invalid', 'PARAM_CHANGED', message);
  }
  const params = command.params.filter(({ key }) => !state.params.has(key));
  const tags = lastOfEachKey(command.tags).filter(({ key, value }) => state.tags.get(key) !== value);
  const events: RunEvent[] = [];
  if (params.length > 0) events.push({ type: 'ParamsLogged', data: { runId, params } });
  if (metrics.length > 0) events.push({ type: 'MetricsLogged', data: { runId, metrics: [...metrics] } });
  if (tags.length > 0) events.push({ type: 'RunTagged', data: { runId, tags } });
  return accept(...events);
}

function decideUpdate(state: Existing, command: Extract<RunCommand, { type: 'UpdateRun' }>): Decision<RunEvent> {
  const { runId, name } = command;
  const events: RunEvent[] = [];
  if (name && name !== state.name) events.push({ type: 'RunRenamed', data: { runId, name } });

  // A run that goes on has no end, though clients send the one it had before along with RUNNING.
  const status = command.status ?? (command.endTime === undefined ? undefined : state.status);
  if (status !== undefined && isFinal(status)) {
    const endTime = command.endTime ?? state.endTime ?? command.at;
    if (status !== state.status || endTime !== state.endTime) {
      events.push({ type: 'RunFinished', data: { runId, status, endTime } });
    }
  } else if (status !== undefined && status !== state.status) {
    events.push({ type: 'RunResumed', data: { runId, status } });
  }
  return accept(...events);
}

function isFinal(status: RunStatus): status is FinalStatus {
  return status === 'FINISHED' || status === 'FAILED' || status === 'KILLED';
}

function decideRecordModel(state: Existing, command: Extract<RunCommand, { type: 'RecordModel' }>): Decision<RunEvent> {
  const earlier = state.tags.get(LOGGED_MODELS_TAG);
  const models = earlier === undefined ? [] : jsonList(earlier);
  if (!models)
    return refuse('invalid', 'TAG_NOT_JSON', `The tag ${LOGGED_MODELS_TAG} is not a JSON list: delete it first.`);
  const value = JSON.stringify([...models, command.model]);
  return accept({ type: 'RunTagged', data: { runId: command.runId, tags: [{ key: LOGGED_MODELS_TAG, value }] } });
}

function jsonList(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const datasetLink = ({ name, digest }: { name: string; digest: string }) => `dataset ${JSON.stringify([name, digest])}`;
const inputLink = ({ modelId }: { modelId: string }) => `input ${modelId}`;
const outputLink = ({ modelId }: { modelId: string }) => `output ${modelId}`;

/** MLflow keeps the first of two inputs with the same name and digest; so does a client that sends one twice. */
function notYetLinked<T>(state: Existing, items: readonly T[], linkOf: (item: T) => string): T[] {
  const links = new Set(state.links);
  return items.filter((item) => !links.has(linkOf(item)) && links.add(linkOf(item)));
}

function evolve(state: RunState, event: Recorded<RunEvent>): RunState {
  if (event.type === 'RunStarted') {
    const { experimentId, name, tags } = event.data;
    const fresh = { lifecycle: 'active', status: 'RUNNING', params: new Map(), links: new Set<string>() } as const;
    return { ...fresh, experimentId, name, tags: withPairs(new Map(), tags) };
  }
  if (state.lifecycle === 'none') throw new Error(`${event.stream} begins with ${event.type}`);
  switch (event.type) {
    case 'ParamsLogged':
      return { ...state, params: withPairs(state.params, event.data.params) };
    case 'RunTagged': {
      const tags = withPairs(state.tags, event.data.tags);
      return { ...state, tags, name: tags.get(RUN_NAME_TAG) ?? state.name };
    }
    case 'RunTagRemoved':
      return { ...state, tags: withoutKey(state.tags, event.data.key) };
    case 'RunRenamed': {
      const { name } = event.data;
      return { ...state, name, tags: withPairs(state.tags, [{ key: RUN_NAME_TAG, value: name }]) };
    }
    case 'InputsLogged':
      return linked(state, [...event.data.datasets.map(datasetLink), ...event.data.models.map(inputLink)]);
    case 'OutputsLogged':
      return linked(state, event.data.models.map(outputLink));
    case 'RunFinished':
      return { ...state, status: event.data.status, endTime: event.data.endTime };
    case 'RunResumed':
      return { ...state, status: event.data.status, endTime: undefined };
    case 'RunDeleted':
      return { ...state, lifecycle: 'deleted' };
    case 'RunRestored':
      return { ...state, lifecycle: 'active' };
    case 'MetricsLogged':
    case 'ArtifactStored':
    case 'ArtifactsDeleted':
      return state;
    default:
      return unreachable(event);
  }
}

function linked(state: Existing, links: readonly string[]): RunState {
  return { ...state, links: new Set([...state.links, ...links]) };
}

/** A run: what one training did. Finished runs still take params, metrics and tags, as MLflow's do; deleted ones do not. */
export const runDecider: Decider<RunState, RunCommand, RunEvent> = {
  kind: 'run',
  initial: { lifecycle: 'none' },
  decide,
  evolve,
};
