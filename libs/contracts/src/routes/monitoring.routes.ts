import type { RouteRule } from '../route';

export const monitoringRoutes: readonly RouteRule[] = [];
