import { routeMatcher, type RouteRule } from './route';
import { accessRoutes } from './routes/access.routes';
import { experimentsRoutes } from './routes/experiments.routes';
import { ledgerRoutes } from './routes/ledger.routes';
import { monitoringRoutes } from './routes/monitoring.routes';
import { operatingRoutes } from './routes/operating.routes';
import { pipelinesRoutes } from './routes/pipelines.routes';
import { registryRoutes } from './routes/registry.routes';
import { servingRoutes } from './routes/serving.routes';
import { versioningRoutes } from './routes/versioning.routes';

/** The one table of who owns which path and who may call it; a request that no row matches is refused. */
export const ROUTES: readonly RouteRule[] = [
  ...operatingRoutes,
  ...accessRoutes,
  ...versioningRoutes,
  ...experimentsRoutes,
  ...registryRoutes,
  ...servingRoutes,
  ...monitoringRoutes,
  ...pipelinesRoutes,
  ...ledgerRoutes,
];

export const matchRoute = routeMatcher(ROUTES);
