import type { RouteRule } from '../route';
import { SERVICE_NAMES } from '../service-name';

/** What every service answers for its operators. */
export const operatingRoutes: readonly RouteRule[] = SERVICE_NAMES.flatMap((service) => {
  const base = `/api/mledger/v1/services/${service}`;
  return [
    { service, method: 'GET', path: `${base}/verify`, role: 'admin', api: 'mledger' },
    { service, method: 'GET', path: `${base}/parked`, role: 'admin', api: 'mledger' },
    { service, method: 'POST', path: `${base}/parked/{id}/replay`, role: 'admin', api: 'mledger' },
    { service, method: 'POST', path: `${base}/parked/{id}/discard`, role: 'admin', api: 'mledger' },
    { service, method: 'POST', path: `${base}/projections/{name}/rebuild`, role: 'admin', api: 'mledger' },
  ] as const;
});
