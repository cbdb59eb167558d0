/** What lineage speaks of. The rest of a node's name is what its service calls it. */
export const NODE_KINDS = [
  'commit',
  'ref',
  'run',
  'logged-model',
  'model',
  'endpoint',
  'request',
  'monitor',
  'window',
  'event',
  'pipeline',
  'pipeline-run',
] as const;
export type NodeKind = (typeof NODE_KINDS)[number];

export const node = {
  commit: (repository: string, commitId: string) => `commit:${repository}/${commitId}`,
  /** A branch, a tag or anything else that is no whole commit id. */
  ref: (repository: string, ref: string) => `ref:${repository}/${ref}`,
  run: (runId: string) => `run:${runId}`,
  loggedModel: (modelId: string) => `logged-model:${modelId}`,
  model: (name: string, version: number) => `model:${name}/${version}`,
  endpoint: (name: string) => `endpoint:${name}`,
  revision: (endpoint: string, revision: number) => `endpoint:${endpoint}/${revision}`,
  request: (requestId: string) => `request:${requestId}`,
  monitor: (name: string) => `monitor:${name}`,
  window: (monitor: string, windowId: string) => `window:${monitor}/${windowId}`,
  event: (eventId: string) => `event:${eventId}`,
  pipeline: (name: string) => `pipeline:${name}`,
  pipelineRun: (id: string) => `pipeline-run:${id}`,
};

export function kindOf(name: string): NodeKind | undefined {
  const prefix = name.slice(0, name.indexOf(':'));
  return NODE_KINDS.find((kind) => kind === prefix);
}

/** Where a dataset came from, if that is in a repository of ours. */
export interface DataSourcePlace {
  readonly repository: string;
  readonly ref: string;
  readonly path: string;
}

const URI = /^(?:s3|lakefs):\/\/([^/]+)\/([^/]+)\/(.*)$/;
const COMMIT_ID = /^[0-9a-f]{64}$/;

/** Reads an MLflow dataset's source: `s3://<repository>/<ref>/<path>`, plain or as `uri` in a JSON text. */
export function placeOfSource(source: string): DataSourcePlace | undefined {
  const match = URI.exec(uriOf(source));
  return match ? { repository: match[1]!, ref: match[2]!, path: match[3]! } : undefined;
}

export function isCommitId(ref: string): boolean {
  return COMMIT_ID.test(ref);
}

export function nodeOfPlace({ repository, ref }: DataSourcePlace): string {
  return isCommitId(ref) ? node.commit(repository, ref) : node.ref(repository, ref);
}

function uriOf(source: string): string {
  if (!source.startsWith('{')) return source;
  try {
    const { uri } = JSON.parse(source) as { uri?: unknown };
    return typeof uri === 'string' ? uri : '';
  } catch {
    // A client's own text; that it is no JSON says only that it names no place of ours.
    return '';
  }
}
