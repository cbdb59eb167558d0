import type { RouteRole, RouteRule } from '../route';

const ROWS: readonly (readonly [method: RouteRule['method'], path: string, role: RouteRole])[] = [
  ['GET', 'events', 'reader'],
  ['GET', 'events/live', 'reader'],
  ['GET', 'lineage/{node+}', 'reader'],
  ['GET', 'explain', 'reader'],
  ['GET', 'verify', 'reader'],
];

export const ledgerRoutes: readonly RouteRule[] = ROWS.map(([method, path, role]) => ({
  service: 'ledger',
  method,
  path: `/api/mledger/v1/${path}`,
  role,
  api: 'mledger',
}));
