import type { RouteRule } from '../route';

export const registryRoutes: readonly RouteRule[] = [];
