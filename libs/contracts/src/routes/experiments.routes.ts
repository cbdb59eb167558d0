import type { RouteRule } from '../route';

export const experimentsRoutes: readonly RouteRule[] = [];
