import type { Identity } from '@mledger/access-control';
import type { RouteApi, RouteRule } from '@mledger/contracts';
import type { FastifyRequest } from 'fastify';

/** What the edge found out about a request before its handler runs. */
export interface RequestEdge {
  /** Made here, UUIDv7; never taken from the client. */
  readonly requestId: string;
  readonly startedAtMs: number;
  /** Path and query as on the request line, whatever was rewritten since. */
  readonly target: string;
  readonly api: RouteApi;
  /** The row of the table of routes that the matched pattern stands in. */
  readonly rule: RouteRule | undefined;
  identity?: Identity;
  /** On a public route: why the credentials that came along do not hold. */
  refusal?: unknown;
  traceparent?: string;
  /** Content-Type as sent, while a stream route hides it from the framework. */
  contentType?: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    edge: RequestEdge;
  }
  interface FastifyContextConfig {
    rule?: RouteRule;
  }
}

/** Who the request is verified to be; undefined on a public route that nobody signed. */
export function identityOf(request: FastifyRequest): Identity | undefined {
  return request.edge.identity;
}
