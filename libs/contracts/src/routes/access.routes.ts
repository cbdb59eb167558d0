import type { RouteApi, RouteRole, RouteRule } from '../route';

type Row = readonly [method: RouteRule['method'], path: string, role: RouteRole];

/** Tenants are managed by the admins of tenant `system` alone: the role is checked here, the tenant by the service. */
const OWN: readonly Row[] = [
  ['GET', 'tenants', 'admin'],
  ['POST', 'tenants', 'admin'],
  ['GET', 'tenants/{id}', 'admin'],
  ['DELETE', 'tenants/{id}', 'admin'],
  ['GET', 'roles', 'any'],
  ['GET', 'users', 'admin'],
  ['POST', 'users', 'admin'],
  ['GET', 'users/{id}', 'admin'],
  ['DELETE', 'users/{id}', 'admin'],
  ['PUT', 'users/{id}/roles', 'admin'],
  ['GET', 'keys', 'any'],
  ['POST', 'keys', 'any'],
  ['DELETE', 'keys/{id}', 'any'],
  ['GET', 'caller', 'any'],
  // Of the whole API, every service's: it has to be somebody's.
  ['GET', 'openapi.json', 'public'],
];

const LAKEFS: readonly Row[] = [
  ['GET', 'setup_lakefs', 'public'],
  ['POST', 'setup_lakefs', 'public'],
  ['POST', 'setup_comm_prefs', 'any'],
  ['GET', 'user', 'public'],
  ['POST', 'auth/login', 'public'],
  ['GET', 'auth/capabilities', 'public'],
  ['GET', 'auth/users', 'admin'],
  ['POST', 'auth/users', 'admin'],
  ['GET', 'auth/users/{userId}', 'admin'],
  ['DELETE', 'auth/users/{userId}', 'admin'],
  ['GET', 'auth/users/{userId}/credentials', 'any'],
  ['POST', 'auth/users/{userId}/credentials', 'any'],
  ['GET', 'auth/users/{userId}/credentials/{accessKeyId}', 'any'],
  ['DELETE', 'auth/users/{userId}/credentials/{accessKeyId}', 'any'],
  ['GET', 'auth/groups', 'admin'],
  ['GET', 'auth/policies', 'admin'],
];

function rules(base: string, api: RouteApi, rows: readonly Row[]): RouteRule[] {
  return rows.map(([method, path, role]) => ({ service: 'access', method, path: `${base}${path}`, role, api }));
}

export const accessRoutes: readonly RouteRule[] = [
  ...rules('/api/mledger/v1/', 'mledger', OWN),
  ...rules('/api/v1/', 'lakefs', LAKEFS),
];
