import type { RouteRole, RouteRule } from '../route';

type Row = readonly [method: RouteRule['method'], path: string, role: RouteRole];

/** MLflow serves every call under `/api` for its clients and under `/ajax-api` for its pages. */
const PREFIXES = ['/api/2.0', '/ajax-api/2.0'] as const;

const TRACKING: readonly Row[] = [
  ['POST', 'experiments/create', 'contributor'],
  ['GET', 'experiments/get', 'reader'],
  ['GET', 'experiments/get-by-name', 'reader'],
  ['GET', 'experiments/search', 'reader'],
  ['POST', 'experiments/search', 'reader'],
  ['POST', 'experiments/search-datasets', 'reader'],
  ['POST', 'experiments/update', 'contributor'],
  ['POST', 'experiments/delete', 'contributor'],
  ['POST', 'experiments/restore', 'contributor'],
  ['POST', 'experiments/set-experiment-tag', 'contributor'],
  ['POST', 'experiments/delete-experiment-tag', 'contributor'],
  ['POST', 'runs/create', 'contributor'],
  ['POST', 'runs/update', 'contributor'],
  ['POST', 'runs/delete', 'contributor'],
  ['POST', 'runs/restore', 'contributor'],
  ['GET', 'runs/get', 'reader'],
  ['POST', 'runs/search', 'reader'],
  ['POST', 'runs/log-metric', 'contributor'],
  ['POST', 'runs/log-parameter', 'contributor'],
  ['POST', 'runs/log-batch', 'contributor'],
  ['POST', 'runs/log-model', 'contributor'],
  ['POST', 'runs/log-inputs', 'contributor'],
  ['POST', 'runs/outputs', 'contributor'],
  ['POST', 'runs/set-tag', 'contributor'],
  ['POST', 'runs/delete-tag', 'contributor'],
  ['GET', 'metrics/get-history', 'reader'],
  ['GET', 'metrics/get-history-bulk', 'reader'],
  ['GET', 'metrics/get-history-bulk-interval', 'reader'],
  ['GET', 'artifacts/list', 'reader'],
  ['POST', 'logged-models', 'contributor'],
  ['POST', 'logged-models/search', 'reader'],
  ['GET', 'logged-models/{modelId}', 'reader'],
  ['PATCH', 'logged-models/{modelId}', 'contributor'],
  ['DELETE', 'logged-models/{modelId}', 'contributor'],
  ['POST', 'logged-models/{modelId}/params', 'contributor'],
  ['PATCH', 'logged-models/{modelId}/tags', 'contributor'],
  ['DELETE', 'logged-models/{modelId}/tags/{key+}', 'contributor'],
  ['GET', 'logged-models/{modelId}/artifacts/directories', 'reader'],
  ['GET', 'logged-models/{modelId}/artifacts/files', 'reader'],
];

/** Deleting an artifact takes more than the right to edit a run: bytes do not come back. */
const ARTIFACTS: readonly Row[] = [
  ['GET', 'artifacts', 'reader'],
  ['GET', 'artifacts/{path+}', 'reader'],
  ['PUT', 'artifacts/{path+}', 'contributor'],
  ['DELETE', 'artifacts/{path+}', 'admin'],
  ['POST', 'mpu/create/{path+}', 'contributor'],
  ['POST', 'mpu/complete/{path+}', 'contributor'],
  ['POST', 'mpu/abort/{path+}', 'contributor'],
  ['GET', 'presigned/{path+}', 'reader'],
];

const ROOT: readonly Row[] = [
  ['GET', '/health', 'public'],
  ['GET', '/version', 'public'],
  ['GET', '/get-artifact', 'reader'],
];

const rule = ([method, path, role]: Row): RouteRule => ({
  service: 'experiments',
  method,
  path,
  role,
  api: 'mlflow',
  ...(method === 'PUT' && { body: 'stream' as const }),
});

/** What MLflow's tracking server and its artifact proxy answer. */
export const experimentsRoutes: readonly RouteRule[] = [
  ...ROOT.map(rule),
  ...PREFIXES.flatMap((prefix) => [
    ...TRACKING.map(([method, path, role]) => rule([method, `${prefix}/mlflow/${path}`, role])),
    ...ARTIFACTS.map(([method, path, role]) => rule([method, `${prefix}/mlflow-artifacts/${path}`, role])),
  ]),
];
