import type { Refusal } from '@mledger/event-log';
import type { RegisteredModelState } from './model-state';
import { STAGES } from './registered-model';

/** Where a client says that a version's files lie, understood but not yet looked up. */
export type ModelSource =
  | { readonly kind: 'logged-model'; readonly loggedModelId: string }
  | { readonly kind: 'version'; readonly model: string; readonly version: number }
  | { readonly kind: 'alias'; readonly model: string; readonly alias: string }
  /** The youngest version, of all or of those in a stage. */
  | { readonly kind: 'latest'; readonly model: string; readonly stage: string | null }
  | { readonly kind: 'run'; readonly runId: string; readonly path: string }
  /** `uri` is an `mlflow-artifacts:/…` address, which lies inside a run or a logged model or is refused. */
  | { readonly kind: 'artifacts'; readonly uri: string }
  /** A bucket that we neither read nor write: a label for the client that put it there. */
  | { readonly kind: 'bucket' }
  | { readonly kind: 'prompt' };

/** A version that is there already, whose files the new one is to have too. */
export type SourceVersion = Extract<ModelSource, { kind: 'version' | 'alias' | 'latest' }>;

export interface Refused {
  readonly refusal: Refusal;
}

export const SOURCE_CHARACTERS_MAX = 500;
/** A source that still changes after so many decodings is an attack, not an address. */
const DECODINGS_MAX = 5;
/** The object stores that an experiment's artifacts may lie in, so that a model logged there can be registered. */
const BUCKET_SCHEMES = ['s3', 'gs', 'wasb', 'wasbs', 'abfs', 'abfss', 'r2', 'dbfs'];
/** What MLflow's own senders write where a prompt needs a source; it is never used as one. */
const PROMPT_SOURCES = ['dummy-source', 'prompt-template'];
const RUN_ID = /^[a-zA-Z0-9][\w-]{0,255}$/;
const LOGGED_MODEL_ID = /^m-[0-9a-f]{32}$/;

/**
 * Reads a version's source. Nothing in it may reach beyond what it names: no host, no local path, no step upwards,
 * however encoded. Whether it is a prompt's is told by the registered model, never by a tag of the request alone.
 */
export function parseModelSource(source: string, { prompt }: { prompt: boolean }): ModelSource | Refused {
  if (prompt) return PROMPT_SOURCES.includes(source) ? { kind: 'prompt' } : invalid(source, PROMPT_HINT);
  if (source.length > SOURCE_CHARACTERS_MAX) {
    return invalid(`${source.slice(0, 100)}…`, `It is longer than ${SOURCE_CHARACTERS_MAX} characters.`);
  }
  if (!isPlain(source)) return invalid(source, PLAIN_HINT);
  const [, scheme, authority, path] = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/]*))?(.*)$/.exec(source) ?? [];
  if (scheme === undefined || path === undefined) return invalid(source, SCHEME_HINT);
  if (BUCKET_SCHEMES.includes(scheme) && (authority || scheme === 'dbfs')) return { kind: 'bucket' };
  if (!['models', 'runs', 'mlflow-artifacts'].includes(scheme)) return invalid(source, SCHEME_HINT);
  if (authority !== undefined) return invalid(source, 'It names a host.');
  const segments = path.replace(/\/$/, '').split('/').slice(1);
  if (!path.startsWith('/') || segments.length === 0 || segments.includes('')) return invalid(source, SCHEME_HINT);
  if (scheme === 'mlflow-artifacts') return { kind: 'artifacts', uri: `mlflow-artifacts:/${segments.join('/')}` };
  return scheme === 'runs' ? runSource(source, segments) : modelsSource(source, segments);
}

function runSource(source: string, [runId = '', ...path]: string[]): ModelSource | Refused {
  if (!RUN_ID.test(runId) || path.length === 0) return invalid(source, 'It should read runs:/<run id>/<path>.');
  return { kind: 'run', runId, path: path.join('/') };
}

function modelsSource(source: string, segments: string[]): ModelSource | Refused {
  const [name = '', version] = segments;
  if (segments.length === 1 && LOGGED_MODEL_ID.test(name)) return { kind: 'logged-model', loggedModelId: name };
  const [, model, alias] = /^([^@]+)@([\p{L}\p{N}_-]+)$/u.exec(name) ?? [];
  if (segments.length === 1 && model !== undefined && alias !== undefined) {
    // No version can have this alias: MLflow's clients keep it for the youngest.
    return isLatest(alias) ? { kind: 'latest', model, stage: null } : { kind: 'alias', model, alias };
  }
  if (segments.length === 2 && version !== undefined) {
    if (/^[1-9]\d{0,8}$/.test(version)) return { kind: 'version', model: name, version: Number(version) };
    if (isLatest(version)) return { kind: 'latest', model: name, stage: null };
    const stage = STAGES.find((one) => one.toLowerCase() === version.toLowerCase());
    if (stage !== undefined) return { kind: 'latest', model: name, stage };
  }
  return invalid(
    source,
    'It should read models:/<logged model id>, models:/<name>/<version, latest or stage> or models:/<name>@<alias>.',
  );
}

const isLatest = (text: string): boolean => text.toLowerCase() === 'latest';

/** The number of the version that a source means; undefined if the model has none such. */
export function versionMeant(state: RegisteredModelState, source: SourceVersion): number | undefined {
  switch (source.kind) {
    case 'version':
      return source.version;
    case 'alias':
      return state.aliases.get(source.alias);
    case 'latest': {
      const { stage } = source;
      const index = state.versions.findLastIndex((one) => !one.deleted && (stage === null || one.stage === stage));
      return index === -1 ? undefined : index + 1;
    }
  }
}

/** Holds of the text and of each of its decodings: no control character, backslash, step upwards, query or fragment. */
function isPlain(source: string): boolean {
  let text = source;
  for (let decoding = 0; decoding <= DECODINGS_MAX; decoding += 1) {
    if (/[\u0000-\u001f\u007f\\?#;]/.test(text) || text.split('/').some((part) => part === '..' || part === '.')) {
      return false;
    }
    const decoded = decodeOnce(text);
    if (decoded === undefined) return false;
    if (decoded === text) return true;
    text = decoded;
  }
  return false;
}

function decodeOnce(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const PROMPT_HINT = `A prompt's source is one of ${PROMPT_SOURCES.join(', ')}.`;
const PLAIN_HINT = 'It has to be an address without control characters, backslashes, "..", "?", "#" or ";".';
const SCHEME_HINT =
  'It should begin with models:/, runs:/ or mlflow-artifacts:/ (or name a bucket: s3://, gs://, abfss://, …); ' +
  'local paths and hosts are refused.';

/** The refusal of a source, in the words MLflow uses. */
export function invalid(source: string, hint: string): Refused {
  const message = `Invalid model version source: '${source}'. ${hint}`;
  return { refusal: { kind: 'invalid', code: 'INVALID_SOURCE', message } };
}
