import type { ServiceName } from './service-name';

/** Least role that may call a route; `public` needs no credentials, `any` needs some, whatever their roles. */
export type RouteRole = 'public' | 'any' | 'reader' | 'contributor' | 'approver' | 'deployer' | 'admin';

/** Which protocol a path belongs to, and so the form of its errors. */
export type RouteApi = 'mlflow' | 'lakefs' | 'oip' | 'mledger' | 's3' | 'page';

export interface RouteRule {
  readonly service: ServiceName;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `{name}` is one segment; a last `{path+}` is all the rest, slashes included, and at least one segment. */
  readonly path: string;
  readonly role: RouteRole;
  readonly api: RouteApi;
  /** `stream`: the handler reads the raw request itself, whatever its content type. */
  readonly body?: 'stream';
}

/** The protocol of a path that no rule names, so that a refusal is told in the form the caller expects. */
export function apiOfPath(path: string): RouteApi {
  if (/^\/(ajax-)?api\/[23]\.0\/|^\/(get-artifact|model-versions\/get-artifact|version|health)$/.test(path))
    return 'mlflow';
  if (path === '/api/v1' || path.startsWith('/api/v1/')) return 'lakefs';
  if (path === '/v2' || path.startsWith('/v2/')) return 'oip';
  if (/^\/endpoints\/[^/]+\/invocations$/.test(path)) return 'mlflow';
  return path.startsWith('/api/mledger/') ? 'mledger' : 'page';
}

/**
 * Finds the rule of a request. Literal segments win over parameters, parameters over rests.
 *
 * @param path the raw path of the target, without its query; segments are compared as they stand, undecoded.
 */
export type RouteMatcher = (method: string, path: string) => RouteRule | undefined;

interface RouteNode {
  readonly literals: Map<string, RouteNode>;
  parameter?: RouteNode;
  readonly rules: Map<string, RouteRule>;
  readonly restRules: Map<string, RouteRule>;
}

const emptyNode = (): RouteNode => ({ literals: new Map(), rules: new Map(), restRules: new Map() });

/** Builds a matcher over a table of rules; a rule that stands twice is a bug and throws. */
export function routeMatcher(table: readonly RouteRule[]): RouteMatcher {
  const root = emptyNode();
  for (const rule of table) addRule(root, rule);
  return (method, path) => find(root, path.split('/').slice(1), 0, method);
}

function addRule(root: RouteNode, rule: RouteRule): void {
  let node = root;
  const segments = rule.path.split('/').slice(1);
  for (const segment of segments) {
    if (/^\{\w+\+\}$/.test(segment)) return put(node.restRules, rule);
    if (/^\{\w+\}$/.test(segment)) {
      node = node.parameter ??= emptyNode();
      continue;
    }
    const next = node.literals.get(segment) ?? emptyNode();
    node.literals.set(segment, next);
    node = next;
  }
  put(node.rules, rule);
}

function put(rules: Map<string, RouteRule>, rule: RouteRule): void {
  if (rules.has(rule.method)) throw new Error(`route ${rule.method} ${rule.path} is in the table twice`);
  rules.set(rule.method, rule);
}

function find(node: RouteNode, segments: readonly string[], depth: number, method: string): RouteRule | undefined {
  const segment = segments[depth];
  if (segment === undefined) return ruleFor(node.rules, method);
  const literal = node.literals.get(segment);
  return (
    (literal && find(literal, segments, depth + 1, method)) ??
    (segment !== '' && node.parameter ? find(node.parameter, segments, depth + 1, method) : undefined) ??
    (segment !== '' ? ruleFor(node.restRules, method) : undefined)
  );
}

/** HEAD is answered where GET is. */
function ruleFor(rules: ReadonlyMap<string, RouteRule>, method: string): RouteRule | undefined {
  return rules.get(method) ?? (method === 'HEAD' ? rules.get('GET') : undefined);
}
