import type { RouteRule } from '../route';

export const versioningRoutes: readonly RouteRule[] = [];
