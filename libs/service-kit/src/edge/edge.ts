import { AccessControl, AccessRefused, type Identity } from '@mledger/access-control';
import { apiOfPath, hasAwsSignature, pathOfTarget, type RouteRule } from '@mledger/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock, Ids } from '../clock';
import { ApiError } from '../errors/api-error';
import type { Lifecycle } from '../lifecycle';
import type { HttpMetrics } from '../observe/metrics';
import type { RequestSpan, Tracing } from '../observe/tracing';
import { logContext, type LogContext } from '../request-context';
import './request-edge';
import { readBody } from './body-reader';
import type { RouteRules } from './route-rules';
import type { ErrorSender } from './send-error';
import { parseStrictJson } from './strict-json';

export const JSON_BYTES_MAX = 8 * 1024 * 1024;
/** Tensors and data frames are JSON too. */
export const SERVING_JSON_BYTES_MAX = 64 * 1024 * 1024;

/** What proxies log for a client that hung up before its answer was whole. */
const STATUS_HUNG_UP = 499;

/** Where S3 requests are put, so that no path of another protocol can be taken for a bucket or the reverse. */
export const S3_PREFIX = '/.s3';

export interface EdgeParts {
  readonly rules: RouteRules;
  readonly access: AccessControl;
  readonly errors: ErrorSender;
  readonly lifecycle: Lifecycle;
  readonly metrics: HttpMetrics;
  readonly tracing: Tracing | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Why what this service knows of keys and roles cannot be relied on, if so. */
  readonly accessHalted: () => string | undefined;
}

/** For Fastify's `rewriteUrl`: a request with an AWS signature is for S3, whatever its path; the root is `/.s3`. */
export function s3Rewrite(request: { url?: string; headers: { authorization?: string } }): string {
  const target = request.url ?? '/';
  if (!hasAwsSignature({ target, authorization: request.headers.authorization })) return target;
  return S3_PREFIX + (target === '/' || target.startsWith('/?') ? target.slice(1) : target);
}

/** Puts what every request passes on the way to its handler in place; before any route is registered. */
export function installEdge(fastify: FastifyInstance, parts: EdgeParts): void {
  const spans = new WeakMap<FastifyRequest, RequestSpan>();
  fastify.decorateRequest('edge');
  fastify.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      const rule = parts.rules.ruleOf(method, route.url);
      if (rule) route.config = { ...route.config, rule };
    }
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    begin(request, reply, parts);
    whenOver(reply, (status) => end(request, status, parts, spans.get(request)));
    const { requestId, api, rule, traceparent } = request.edge;
    const span = parts.tracing?.startRequest({
      method: request.method,
      route: rule?.path ?? '(unlisted)',
      api,
      traceparent,
    });
    if (span) {
      spans.set(request, span);
      request.edge.traceparent = span.traceparent;
    }
    const context: LogContext = { requestId, traceparent: request.edge.traceparent };
    logContext.run(context, () => {
      admit(request, parts, context).then(
        () => (span ? span.within(() => done()) : done()),
        (error: unknown) => parts.errors.send(request, reply, error),
      );
    });
  });
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', async (request: FastifyRequest, payload: NodeJS.ReadableStream) =>
    parseBody(request, payload as FastifyRequest['raw']),
  );
}

function begin(request: FastifyRequest, reply: FastifyReply, { clock, ids, lifecycle }: EdgeParts): void {
  const target = request.originalUrl;
  const rule = request.is404 ? undefined : request.routeOptions.config.rule;
  request.edge = {
    requestId: ids.uuidv7(),
    startedAtMs: clock.monotonicMs(),
    target,
    rule,
    api: rule?.api ?? (request.url === target ? apiOfPath(pathOfTarget(target)) : 's3'),
    traceparent: traceparentOf(request.headers.traceparent),
  };
  void reply.header('x-request-id', request.edge.requestId);
  // The SDKs of S3 show this one.
  if (request.edge.api === 's3') void reply.header('x-amz-request-id', request.edge.requestId);
  lifecycle.requestBegan();
}

/** A client who hangs up ends a response without finishing it; the framework's own hook would never hear of it. */
function whenOver({ raw }: FastifyReply, work: (status: number) => void): void {
  let over = false;
  const once = (status: number) => {
    if (!over) work(status);
    over = true;
  };
  raw.once('finish', () => once(raw.statusCode));
  raw.once('close', () => once(raw.writableFinished ? raw.statusCode : STATUS_HUNG_UP));
}

function end(request: FastifyRequest, status: number, parts: EdgeParts, span: RequestSpan | undefined): void {
  const seconds = (parts.clock.monotonicMs() - request.edge.startedAtMs) / 1000;
  const route = request.edge.rule?.path ?? '(unlisted)';
  parts.metrics.observe({ method: request.method, route, status, seconds });
  span?.end(status);
  parts.lifecycle.requestEnded();
}

/** Decides whether a request may reach its handler. @throws what the caller is to be told */
async function admit(request: FastifyRequest, parts: EdgeParts, context: LogContext): Promise<void> {
  const { edge } = request;
  refuseIllFormedTarget(edge.target);
  if (parts.lifecycle.stopping && edge.rule?.role !== 'public') throw ApiError.unavailable('the service is stopping');
  const identity = await authenticate(request, parts.access, edge.rule);
  if (!edge.rule) throw unlisted(request);
  if (identity?.keyId !== undefined && parts.accessHalted() !== undefined)
    throw new AccessRefused(
      'unavailable',
      'ACCESS_UNAVAILABLE',
      'keys cannot be checked now: try again',
      'ServiceUnavailable',
    );
  if (edge.rule.api === 's3' && !identity?.aws)
    throw new AccessRefused('forbidden', 'UNSIGNED', 'S3 requests need an AWS signature', 'AccessDenied');
  if (edge.rule.api !== 's3' && identity?.aws)
    throw new AccessRefused('bad-request', 'SIGNATURE_OUT_OF_PLACE', 'an AWS signature is for S3 requests only');
  parts.access.authorise(identity, edge.rule);
  edge.identity = identity;
  context.tenant = identity?.tenant;
  context.actor = identity?.actor;
  context.correlation = identity?.correlation;
  if (edge.rule.body === 'stream') hideContentType(request);
}

async function authenticate(
  request: FastifyRequest,
  access: AccessControl,
  rule: RouteRule | undefined,
): Promise<Identity | undefined> {
  const wire = { method: request.method, target: request.edge.target, headers: request.headers };
  try {
    return await access.authenticate(wire);
  } catch (error) {
    // A public route answers a caller whose credentials went stale, or cannot be checked; its handler may look at why.
    const unproven = error instanceof AccessRefused && ['unauthenticated', 'unavailable'].includes(error.refusal);
    if (!unproven || rule?.role !== 'public') throw error;
    request.edge.refusal = error;
    return undefined;
  }
}

function unlisted(request: FastifyRequest): Error {
  const message = `there is no ${request.method} ${pathOfTarget(request.edge.target)}`;
  return new ApiError({ status: request.edge.api === 's3' ? 405 : 404, code: 'UNLISTED', message });
}

function refuseIllFormedTarget(target: string): void {
  let decoded: string;
  try {
    decoded = decodeURIComponent(target);
  } catch {
    throw ApiError.invalid('the request target is not percent-encoded UTF-8');
  }
  if (decoded.includes('\0')) throw ApiError.invalid('the request target holds NUL');
}

/** The framework refuses content types that it cannot read, but a stream route takes any: it sees a plain one instead. */
function hideContentType(request: FastifyRequest): void {
  request.edge.contentType = request.raw.headers['content-type'];
  if (request.edge.contentType !== undefined) request.raw.headers['content-type'] = 'application/octet-stream';
}

async function parseBody(request: FastifyRequest, payload: FastifyRequest['raw']): Promise<unknown> {
  const { rule, contentType } = request.edge;
  if (rule?.body === 'stream') {
    if (contentType !== undefined) request.raw.headers['content-type'] = contentType;
    return payload;
  }
  const bytesMax = rule?.service === 'serving' ? SERVING_JSON_BYTES_MAX : JSON_BYTES_MAX;
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  const isJson = type === 'application/json' || /^[\w.-]+\/[\w.-]+\+json$/.test(type);
  if (!isJson && request.headers['content-length'] !== '0') throw notJson(type);
  const bytes = await readBody(payload, request.headers, bytesMax);
  if (bytes.length === 0) return undefined;
  // MLflow and the inference protocol have 64-bit integers; protobuf's JSON form writes those as strings.
  const bigIntegers = rule?.api === 'mlflow' || rule?.api === 'oip' ? 'as-strings' : 'refuse';
  return parseStrictJson(bytes, { bigIntegers });
}

function notJson(type: string): ApiError {
  return ApiError.unsupportedMediaType(`the body must be application/json, not ${type === '' ? 'untyped' : type}`);
}

/** https://www.w3.org/TR/trace-context/: what is not well-formed is ignored. */
function traceparentOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(header) ? header : undefined;
}
