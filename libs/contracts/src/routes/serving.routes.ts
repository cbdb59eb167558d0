import type { RouteRole, RouteRule } from '../route';

const OWN: readonly (readonly [method: RouteRule['method'], path: string, role: RouteRole])[] = [
  ['GET', 'endpoints', 'reader'],
  ['GET', 'endpoints/{name}', 'reader'],
  ['PUT', 'endpoints/{name}', 'deployer'],
  ['DELETE', 'endpoints/{name}', 'deployer'],
  ['POST', 'endpoints/{name}/rollback', 'deployer'],
  ['POST', 'endpoints/{name}/traffic', 'deployer'],
  ['POST', 'endpoints/{name}/shadows', 'deployer'],
];

/** The Open Inference Protocol V2 over REST. */
const OIP: readonly (readonly [method: RouteRule['method'], path: string, role: RouteRole])[] = [
  ['GET', '/v2', 'public'],
  ['GET', '/v2/health/live', 'public'],
  ['GET', '/v2/health/ready', 'public'],
  ['GET', '/v2/models/{name}', 'reader'],
  ['GET', '/v2/models/{name}/ready', 'reader'],
  ['GET', '/v2/models/{name}/versions/{version}', 'reader'],
  ['GET', '/v2/models/{name}/versions/{version}/ready', 'reader'],
];

export const servingRoutes: readonly RouteRule[] = [
  ...OWN.map(
    ([method, path, role]) =>
      ({ service: 'serving', method, path: `/api/mledger/v1/${path}`, role, api: 'mledger' }) as const,
  ),
  ...OIP.map(([method, path, role]) => ({ service: 'serving', method, path, role, api: 'oip' }) as const),
  // Binary tensors, and tritonclient's JSON that calls itself application/octet-stream: the handler reads the bytes itself.
  { service: 'serving', method: 'POST', path: '/v2/models/{name}/infer', role: 'reader', api: 'oip', body: 'stream' },
  {
    service: 'serving',
    method: 'POST',
    path: '/v2/models/{name}/versions/{version}/infer',
    role: 'reader',
    api: 'oip',
    body: 'stream',
  },
  // JSON or CSV by content type; 415 for anything else is the scoring protocol's own.
  {
    service: 'serving',
    method: 'POST',
    path: '/endpoints/{name}/invocations',
    role: 'reader',
    api: 'mlflow',
    body: 'stream',
  },
];
