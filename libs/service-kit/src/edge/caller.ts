import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { AccessRefused, LOCAL_ADMIN, type Identity } from '@mledger/access-control';
import type { Role } from '@mledger/contracts';
import { pathOfTarget } from '@mledger/contracts';
import { commandIdFor, type CommandContext } from '@mledger/event-log';
import canonicalize from 'canonicalize';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../errors/api-error';

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Who calls, on whose behalf, and what the client asked of the write itself. */
export interface Caller {
  readonly tenant: string;
  /** `user:<id>` or `pipeline:<id>`. */
  readonly actor: string;
  readonly roles: readonly Role[];
  readonly requestId: string;
  readonly correlation: string;
  readonly cause: string;
  readonly traceparent?: string;
  readonly identity: Identity;
  /** From `Idempotency-Key`, on writes of our own API. */
  readonly commandId?: string;
  readonly requestHash?: string;
  /** From `If-Match`, on writes of our own API. */
  readonly expectedVersion?: number;
}

/** The verified caller of a route, as a parameter of its handler. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  callerOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** @throws AccessRefused on a public route that nobody signed, ApiError on ill-formed headers */
export function callerOf(request: FastifyRequest): Caller {
  const { identity, requestId, traceparent, refusal } = request.edge;
  if (!identity)
    throw refusal ?? new AccessRefused('unauthenticated', 'UNAUTHENTICATED', 'error authenticating request');
  return {
    tenant: identity.tenant,
    actor: identity.actor,
    roles: identity.roles,
    requestId,
    // A pipeline's step goes on with what its run is part of; anybody else begins something.
    correlation: identity.correlation ?? requestId,
    cause: identity.cause ?? `request:${requestId}`,
    traceparent,
    identity,
    ...(request.edge.api === 'mledger' && WRITES.has(request.method) && ownWriteTerms(request, identity)),
  };
}

/** Whose concern the whole installation is: admins of tenant `system`, and whoever sits at an open machine. */
export function isOperator({ tenant, actor }: Caller): boolean {
  return tenant === 'system' || actor === LOCAL_ADMIN.actor;
}

/** What the event store needs of a caller. @param extra what overrides it, a command id of a reaction say */
export function commandContext(caller: Caller, extra: Partial<CommandContext> = {}): CommandContext {
  const { tenant, actor, cause, correlation, traceparent, commandId, requestHash, expectedVersion } = caller;
  return { tenant, actor, cause, correlation, traceparent, commandId, requestHash, expectedVersion, ...extra };
}

function ownWriteTerms(request: FastifyRequest, identity: Identity) {
  const key = request.headers['idempotency-key'];
  const match = request.headers['if-match'];
  return {
    ...(key !== undefined && idempotency(request, identity, String(key))),
    ...(match !== undefined && { expectedVersion: versionOf(match) }),
  };
}

function idempotency(request: FastifyRequest, { tenant, actor }: Identity, key: string) {
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw ApiError.invalid('Idempotency-Key must be 1 to 255 printable ASCII characters without spaces');
  const { rule, target } = request.edge;
  const route = `${request.method} ${rule?.path}`;
  // The same key with another path or body is a mistake of the client, and told as one.
  const body = isStream(request.body) ? null : (request.body ?? null);
  const content = canonicalize({ path: pathOfTarget(target), query: request.query, body }) ?? '';
  const requestHash = createHash('sha256').update(content).digest('hex');
  return { commandId: commandIdFor({ tenant, actor, route, key }), requestHash };
}

function isStream(body: unknown): body is Readable {
  return typeof (body as Readable | undefined)?.pipe === 'function';
}

function versionOf(match: string): number {
  const digits = /^(?:W\/)?"?(\d{1,15})"?$/.exec(match.trim())?.[1];
  if (digits === undefined) throw ApiError.invalid('If-Match must be a version, such as "7"');
  return Number(digits);
}
