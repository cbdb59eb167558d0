import { createHash } from 'node:crypto';
import type { ExperimentsEvent } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider, type Decision, type Recorded } from '@mledger/event-log';
import { lastOfEachKey, withoutKey, withPairs, type KeyValue } from '../key-values';

type LoggedModelEventType =
  | 'LoggedModelCreated'
  | 'LoggedModelReady'
  | 'LoggedModelFailed'
  | 'LoggedModelParamsLogged'
  | 'LoggedModelTagged'
  | 'LoggedModelTagRemoved'
  | 'LoggedModelDeleted'
  | 'ArtifactStored'
  | 'ArtifactsDeleted';
export type LoggedModelEvent = Extract<ExperimentsEvent, { type: LoggedModelEventType }>;

type Data<T extends LoggedModelEventType> = Extract<LoggedModelEvent, { type: T }>['data'];

export type LoggedModelStatus = 'PENDING' | 'READY' | 'UPLOAD_FAILED';

interface ManifestEntry {
  readonly sha256: string;
  readonly sizeBytes: number;
}

export type LoggedModelState =
  | { readonly lifecycle: 'none' }
  | {
      readonly lifecycle: 'active' | 'deleted';
      readonly experimentId: string;
      readonly status: LoggedModelStatus;
      readonly manifestSha256?: string;
      readonly params: ReadonlyMap<string, string>;
      readonly tags: ReadonlyMap<string, string>;
      readonly files: ReadonlyMap<string, ManifestEntry>;
    };

export type LoggedModelCommand = { readonly modelId: string } & (
  | ({ readonly type: 'CreateLoggedModel' } & Omit<Data<'LoggedModelCreated'>, 'modelId'>)
  | { readonly type: 'FinalizeLoggedModel'; readonly status: LoggedModelStatus }
  | { readonly type: 'LogModelParams'; readonly params: readonly KeyValue[] }
  | { readonly type: 'TagLoggedModel'; readonly tags: readonly KeyValue[] }
  | { readonly type: 'RemoveLoggedModelTag'; readonly key: string }
  | { readonly type: 'StoreArtifact'; readonly artifact: Omit<Data<'ArtifactStored'>, 'runId' | 'modelId'> }
  | { readonly type: 'DeleteArtifacts'; readonly experimentId: string; readonly paths: readonly string[] }
  | { readonly type: 'DeleteLoggedModel' }
);

type Existing = Exclude<LoggedModelState, { lifecycle: 'none' }>;

function decide(state: LoggedModelState, command: LoggedModelCommand): Decision<LoggedModelEvent> {
  const { modelId } = command;
  if (command.type === 'CreateLoggedModel') {
    if (state.lifecycle !== 'none')
      return refuse('exists', 'LOGGED_MODEL_EXISTS', `Logged model ${modelId} already exists.`);
    const { type: _type, ...data } = command;
    const [params, tags] = [lastOfEachKey(command.params), lastOfEachKey(command.tags)];
    return accept({ type: 'LoggedModelCreated', data: { ...data, params, tags } });
  }
  if (state.lifecycle !== 'active') {
    return refuse('not-found', 'LOGGED_MODEL_NOT_FOUND', `Logged model with ID '${modelId}' not found.`);
  }
  return decideActive(state, command);
}

type ActiveCommand = Exclude<LoggedModelCommand, { type: 'CreateLoggedModel' }>;

function decideActive(state: Existing, command: ActiveCommand): Decision<LoggedModelEvent> {
  const { modelId } = command;
  switch (command.type) {
    case 'FinalizeLoggedModel':
      return decideFinalize(state, modelId, command.status);
    case 'LogModelParams':
      return decideParams(state, command);
    case 'TagLoggedModel': {
      const tags = lastOfEachKey(command.tags).filter(({ key, value }) => state.tags.get(key) !== value);
      return tags.length === 0 ? accept() : accept({ type: 'LoggedModelTagged', data: { modelId, tags } });
    }
    case 'RemoveLoggedModelTag': {
      const { key } = command;
      if (state.tags.has(key)) return accept({ type: 'LoggedModelTagRemoved', data: { modelId, key } });
      return refuse('not-found', 'TAG_NOT_FOUND', `No tag with key '${key}' found for model with ID '${modelId}'.`);
    }
    case 'StoreArtifact': {
      const { artifact } = command;
      const files = new Map(state.files).set(artifact.path, artifact);
      return changedFiles(state, modelId, { type: 'ArtifactStored', data: { modelId, ...artifact } }, files);
    }
    case 'DeleteArtifacts': {
      const { experimentId, paths } = command;
      const files = new Map([...state.files].filter(([path]) => !paths.includes(path)));
      const event: LoggedModelEvent = { type: 'ArtifactsDeleted', data: { modelId, experimentId, paths: [...paths] } };
      return changedFiles(state, modelId, event, files);
    }
    case 'DeleteLoggedModel':
      return accept({ type: 'LoggedModelDeleted', data: { modelId } });
    default:
      return unreachable(command);
  }
}

/** A ready model whose files change says again what it consists of, so that its last digest is always true. */
function changedFiles(
  state: Existing,
  modelId: string,
  event: LoggedModelEvent,
  files: ReadonlyMap<string, ManifestEntry>,
): Decision<LoggedModelEvent> {
  if (state.status !== 'READY') return accept(event);
  return accept(event, { type: 'LoggedModelReady', data: { modelId, manifestSha256: manifestSha256(files) } });
}

function decideFinalize(state: Existing, modelId: string, status: LoggedModelStatus): Decision<LoggedModelEvent> {
  switch (status) {
    case 'READY': {
      const digest = manifestSha256(state.files);
      if (state.status === 'READY' && state.manifestSha256 === digest) return accept();
      return accept({ type: 'LoggedModelReady', data: { modelId, manifestSha256: digest } });
    }
    case 'UPLOAD_FAILED':
      if (state.status === 'UPLOAD_FAILED') return accept();
      return accept({ type: 'LoggedModelFailed', data: { modelId } });
    case 'PENDING':
      if (state.status === 'PENDING') return accept();
      return refuse(
        'invalid',
        'LOGGED_MODEL_FINAL',
        `Logged model ${modelId} is ${state.status} and cannot be pending again.`,
      );
    default:
      return unreachable(status);
  }
}

function decideParams(
  state: Existing,
  command: Extract<LoggedModelCommand, { type: 'LogModelParams' }>,
): Decision<LoggedModelEvent> {
  const { modelId } = command;
  const all = lastOfEachKey(command.params);
  const changed = all.find(({ key, value }) => state.params.has(key) && state.params.get(key) !== value);
  if (changed) {
    const message = `Changing param values is not allowed. Param '${changed.key}' was already logged for model '${modelId}'.`;
    return refuse('invalid', 'PARAM_CHANGED', message);
  }
  const params = all.filter(({ key }) => !state.params.has(key));
  return params.length === 0 ? accept() : accept({ type: 'LoggedModelParamsLogged', data: { modelId, params } });
}

/** SHA-256 of the RFC 8785 text of `[{path, sha256, sizeBytes}]`, ordered by path as UTF-16 units. */
export function manifestSha256(files: ReadonlyMap<string, ManifestEntry>): string {
  const paths = [...files.keys()].sort();
  // Keys stand in RFC 8785's order and values are strings and integers, so JSON.stringify writes its exact text.
  const manifest = paths.map((path) => ({
    path,
    sha256: files.get(path)?.sha256,
    sizeBytes: files.get(path)?.sizeBytes,
  }));
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
}

function evolve(state: LoggedModelState, event: Recorded<LoggedModelEvent>): LoggedModelState {
  if (event.type === 'LoggedModelCreated') {
    const { experimentId, params, tags } = event.data;
    const maps = {
      params: withPairs(new Map(), params),
      tags: withPairs(new Map(), tags),
      files: new Map<string, ManifestEntry>(),
    };
    return { lifecycle: 'active', status: 'PENDING', experimentId, ...maps };
  }
  if (state.lifecycle === 'none') throw new Error(`${event.stream} begins with ${event.type}`);
  switch (event.type) {
    case 'LoggedModelReady':
      return { ...state, status: 'READY', manifestSha256: event.data.manifestSha256 };
    case 'LoggedModelFailed':
      return { ...state, status: 'UPLOAD_FAILED' };
    case 'LoggedModelParamsLogged':
      return { ...state, params: withPairs(state.params, event.data.params) };
    case 'LoggedModelTagged':
      return { ...state, tags: withPairs(state.tags, event.data.tags) };
    case 'LoggedModelTagRemoved':
      return { ...state, tags: withoutKey(state.tags, event.data.key) };
    case 'LoggedModelDeleted':
      return { ...state, lifecycle: 'deleted' };
    case 'ArtifactStored': {
      const { path, sha256, sizeBytes } = event.data;
      return { ...state, files: new Map(state.files).set(path, { sha256, sizeBytes }) };
    }
    case 'ArtifactsDeleted': {
      const gone = new Set(event.data.paths);
      return { ...state, files: new Map([...state.files].filter(([path]) => !gone.has(path))) };
    }
    default:
      return unreachable(event);
  }
}

/** A logged model: files that belong together, pending until the client says that it has uploaded them all. */
export const loggedModelDecider: Decider<LoggedModelState, LoggedModelCommand, LoggedModelEvent> = {
  kind: 'logged-model',
  initial: { lifecycle: 'none' },
  decide,
  evolve,
};
