import type { RouteRule } from '../route';

export const pipelinesRoutes: readonly RouteRule[] = [];
