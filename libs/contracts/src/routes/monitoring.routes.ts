import type { RouteRole, RouteRule } from '../route';

const ROWS: readonly (readonly [method: RouteRule['method'], path: string, role: RouteRole])[] = [
  ['GET', 'monitors', 'reader'],
  ['GET', 'monitors/{name}', 'reader'],
  ['PUT', 'monitors/{name}', 'deployer'],
  ['DELETE', 'monitors/{name}', 'deployer'],
  ['GET', 'monitors/{name}/windows', 'reader'],
  ['GET', 'monitors/{name}/alerts', 'reader'],
  // Ground truth arrives late and belongs to the figures of the windows, so monitoring keeps it.
  ['POST', 'endpoints/{name}/labels', 'contributor'],
];

export const monitoringRoutes: readonly RouteRule[] = ROWS.map(([method, path, role]) => ({
  service: 'monitoring',
  method,
  path: `/api/mledger/v1/${path}`,
  role,
  api: 'mledger',
}));
