import type { RouteRule } from '../route';

export const ledgerRoutes: readonly RouteRule[] = [];
