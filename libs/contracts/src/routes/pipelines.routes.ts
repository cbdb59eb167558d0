import type { RouteRole, RouteRule } from '../route';

const ROWS: readonly (readonly [method: RouteRule['method'], path: string, role: RouteRole])[] = [
  ['GET', 'pipelines', 'reader'],
  ['GET', 'pipelines/{name}', 'reader'],
  // A pipeline runs commands on the platform's own machines with a role of its own: only an admin may say which.
  ['PUT', 'pipelines/{name}', 'admin'],
  ['DELETE', 'pipelines/{name}', 'admin'],
  ['GET', 'pipelines/{name}/runs', 'reader'],
  ['POST', 'pipelines/{name}/runs', 'contributor'],
  ['GET', 'pipeline-runs/{id}', 'reader'],
  ['GET', 'pipeline-runs/{id}/logs', 'reader'],
  ['POST', 'pipeline-runs/{id}/cancel', 'contributor'],
];

export const pipelinesRoutes: readonly RouteRule[] = ROWS.map(([method, path, role]) => ({
  service: 'pipelines',
  method,
  path: `/api/mledger/v1/${path}`,
  role,
  api: 'mledger',
}));
