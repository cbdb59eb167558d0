import type { RouteRule } from '../route';

export const accessRoutes: readonly RouteRule[] = [];
