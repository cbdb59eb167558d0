import { accessApi } from '@mledger/access/api';
import { OWN_API_BASE, ROUTES, type ApiWords, type RouteRule, type RouteWords } from '@mledger/contracts';
import { ledgerApi } from '@mledger/ledger/api';
import { monitoringApi } from '@mledger/monitoring/api';
import { pipelinesApi } from '@mledger/pipelines/api';
import { registryApi } from '@mledger/registry/api';
import { operatingApi } from '@mledger/service-kit';
import { servingApi } from '@mledger/serving/api';
import { presignedApi } from '@mledger/versioning/api';

export const WORDS: ApiWords = {
  ...registryApi,
  ...servingApi,
  ...monitoringApi,
  ...pipelinesApi,
  ...ledgerApi,
  ...accessApi,
  ...presignedApi,
  ...operatingApi,
};

/** A row of the table of routes as the document names it. */
export interface DocumentedRoute extends Pick<RouteRule, 'method' | 'role' | 'body'> {
  /** After `OWN_API_BASE`. */
  readonly path: string;
  /** Whose it is; `operating` is what each service has. */
  readonly tag: string;
  readonly key: keyof ApiWords;
}

/** The rows of our own API, each once; what every service has for its operators is one row with `{service}`. */
export function documentedRoutes(): readonly DocumentedRoute[] {
  const routes = ROUTES.filter(({ api }) => api === 'mledger').map(documented);
  return [...new Map(routes.map((route) => [route.key, route])).values()];
}

function documented({ method, path, role, body, service }: RouteRule): DocumentedRoute {
  const own = path.slice(OWN_API_BASE.length).replace('+}', '}');
  const operating = `/services/${service}/`;
  const isOperating = own.startsWith(operating);
  const named = isOperating ? own.replace(operating, '/services/{service}/') : own;
  return {
    method,
    path: named,
    role,
    body,
    tag: isOperating ? 'operating' : service,
    key: `${method} ${named as '/'}`,
  };
}

/** @throws Error for a route of the table that nothing is said of */
export function wordsOf({ key }: DocumentedRoute): RouteWords {
  const words = WORDS[key];
  if (!words) throw new Error(`${key} is in the table of routes, and no api.ts beside its controller describes it`);
  return words;
}
