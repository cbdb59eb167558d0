import type { RouteRule, ServiceName } from '@mledger/contracts';

/**
 * Finds the row of the table for a framework's route pattern (`/a/:name/*`), so that what decides role and
 * error form is the row of the very handler that runs, and not a second reading of the path.
 */
export class RouteRules {
  private readonly byShape = new Map<string, RouteRule>();
  private readonly missing = new Set<string>();

  /** @param own rules of the kit itself, which no table lists */
  constructor(service: ServiceName, table: readonly RouteRule[], own: readonly RouteRule[]) {
    for (const rule of [...table.filter((row) => row.service === service), ...own])
      this.byShape.set(`${rule.method} ${shapeOf(rule.path)}`, rule);
  }

  /** The row of a pattern; one that is not in the table is remembered for `assertComplete`. */
  ruleOf(method: string, pattern: string): RouteRule | undefined {
    const shape = shapeOf(pattern);
    const get = method === 'HEAD' ? this.byShape.get(`GET ${shape}`) : undefined;
    const rule = this.byShape.get(`${method} ${shape}`) ?? get;
    if (!rule) this.missing.add(`${method} ${pattern}`);
    return rule;
  }

  /** @throws Error naming the routes that a controller has and the table has not: nobody could call them */
  assertComplete(): void {
    if (this.missing.size > 0)
      throw new Error(`these routes are not in the table of routes (libs/contracts): ${[...this.missing].join(', ')}`);
  }
}

/** `{name}` and `:name` are one segment, `{path+}` and `*` are the rest. */
function shapeOf(path: string): string {
  // Controllers cannot have a slash at the end of their routes.
  return (path.length > 1 ? path.replace(/\/$/, '') : path)
    .split('/')
    .map((segment) => {
      if (/^\{\w+\+\}$/.test(segment) || segment.startsWith('*')) return '*';
      return /^\{\w+\}$/.test(segment) || /^:\w+$/.test(segment) ? ':' : segment;
    })
    .join('/');
}
