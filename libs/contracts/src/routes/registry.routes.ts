import type { RouteRole, RouteRule } from '../route';

type Row = readonly [method: RouteRule['method'], path: string, role: RouteRole];

/** MLflow serves every call under `/api` for its clients and under `/ajax-api` for its pages. */
const MLFLOW: readonly Row[] = [
  ['POST', 'registered-models/create', 'contributor'],
  ['POST', 'registered-models/rename', 'contributor'],
  ['PATCH', 'registered-models/update', 'contributor'],
  ['DELETE', 'registered-models/delete', 'contributor'],
  ['GET', 'registered-models/get', 'reader'],
  ['GET', 'registered-models/search', 'reader'],
  ['GET', 'registered-models/get-latest-versions', 'reader'],
  ['POST', 'registered-models/get-latest-versions', 'reader'],
  ['POST', 'registered-models/set-tag', 'contributor'],
  ['DELETE', 'registered-models/delete-tag', 'contributor'],
  ['POST', 'registered-models/alias', 'contributor'],
  ['DELETE', 'registered-models/alias', 'contributor'],
  ['GET', 'registered-models/alias', 'reader'],
  ['POST', 'model-versions/create', 'contributor'],
  ['PATCH', 'model-versions/update', 'contributor'],
  ['POST', 'model-versions/transition-stage', 'contributor'],
  ['DELETE', 'model-versions/delete', 'contributor'],
  ['GET', 'model-versions/get', 'reader'],
  ['GET', 'model-versions/search', 'reader'],
  ['GET', 'model-versions/get-download-uri', 'reader'],
  ['POST', 'model-versions/set-tag', 'contributor'],
  ['DELETE', 'model-versions/delete-tag', 'contributor'],
];

const OWN: readonly Row[] = [
  ['GET', 'models/{name}/policy', 'reader'],
  ['PUT', 'models/{name}/policy', 'approver'],
  ['DELETE', 'models/{name}/policy', 'approver'],
  ['GET', 'models/{name}/promotions', 'reader'],
  ['POST', 'models/{name}/promotions', 'contributor'],
  ['GET', 'promotions/{id}', 'reader'],
  ['POST', 'promotions/{id}/approve', 'approver'],
  ['POST', 'promotions/{id}/reject', 'approver'],
  ['POST', 'promotions/{id}/withdraw', 'contributor'],
  ['POST', 'models/{name}/rollback', 'approver'],
  ['GET', 'models/{name}/aliases/{alias}', 'reader'],
  ['GET', 'models/{name}/aliases/{alias}/history', 'reader'],
];

export const registryRoutes: readonly RouteRule[] = [
  ...['/api/2.0/mlflow', '/ajax-api/2.0/mlflow'].flatMap((base) =>
    MLFLOW.map(
      ([method, path, role]) =>
        ({ service: 'registry', method, path: `${base}/${path}`, role, api: 'mlflow' }) as const,
    ),
  ),
  { service: 'registry', method: 'GET', path: '/model-versions/get-artifact', role: 'reader', api: 'mlflow' },
  ...OWN.map(
    ([method, path, role]) =>
      ({ service: 'registry', method, path: `/api/mledger/v1/${path}`, role, api: 'mledger' }) as const,
  ),
];
