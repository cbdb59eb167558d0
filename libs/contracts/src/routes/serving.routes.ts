import type { RouteRule } from '../route';

export const servingRoutes: readonly RouteRule[] = [];
