import type { RouteRule, ServiceName } from '@mledger/contracts';
import type { Consumer, ReadModel } from '@mledger/event-bus';
import type { EventLog, Projection } from '@mledger/event-log';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { callerOf, isOperator } from './edge/caller';
import { ApiError } from './errors/api-error';
import { parse } from './errors/parse';
import type { Lifecycle } from './lifecycle';
import { processRegistry, type Metrics } from './observe/metrics';
import { verifyReportFor } from './verify-report';

export interface OperatingParts {
  readonly service: ServiceName;
  readonly log: EventLog;
  readonly consumer: Consumer;
  readonly projections: readonly Projection[];
  readonly readModels: readonly ReadModel[];
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
}

/** Routes of a service's own process, which no table lists: in standalone its listener answers them for all. */
export function kitRoutes(service: ServiceName): RouteRule[] {
  return [
    { service, method: 'GET', path: '/health/live', role: 'public', api: 'page' },
    { service, method: 'GET', path: '/health/ready', role: 'public', api: 'page' },
    { service, method: 'GET', path: '/metrics', role: 'reader', api: 'page' },
  ];
}

export const parkedQuery = z.object({
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
/** A checkpoint that the caller kept, as it was published. */
const checkpointText = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue({ code: 'custom', message: 'must be a checkpoint, in JSON' });
    return z.NEVER;
  }
});
export const verifyQuery = z.object({
  checkpoint: checkpointText
    .pipe(
      z.object({
        service: z.string(),
        seq: z.number().int().positive(),
        chain: z.string().regex(/^[0-9a-f]{64}$/),
        at: z.string(),
        keyId: z.string().max(64),
        ed25519: z.string().max(128),
      }),
    )
    .optional(),
});
export const idParams = z.object({ id: z.string().regex(/^\d{1,18}$/, 'must be the id of a parked event') });
const nameParams = z.object({ name: z.string() });

/** Health, metrics, and what operators do with a service's log. */
export function registerOperatingRoutes(fastify: FastifyInstance, parts: OperatingParts): void {
  const { service, log, consumer, lifecycle, metrics } = parts;
  const base = `/api/mledger/v1/services/${service}`;
  fastify.get('/health/live', async () => ({ status: 'live' }));
  fastify.get('/health/ready', async (_request, reply) => {
    const reasons = await lifecycle.unreadyReasons();
    return reply
      .status(reasons.length === 0 ? 200 : 503)
      .send({ status: reasons.length === 0 ? 'ready' : 'unready', reasons });
  });
  fastify.get('/metrics', async (_request, reply) => {
    const [own, shared] = await Promise.all([metrics.registry.metrics(), processRegistry().metrics()]);
    return reply.header('content-type', metrics.registry.contentType).send(`${own}\n${shared}`);
  });
  fastify.get(`${base}/verify`, async (request) => {
    const { checkpoint } = parse(verifyQuery, request.query, 'query');
    return verifyReportFor(callerOf(request), await log.verify({ checkpoint }));
  });
  fastify.get(`${base}/parked`, async (request) => {
    const { after, limit } = parse(parkedQuery, request.query, 'query');
    const caller = callerOf(request);
    const parked = await consumer.parked.list({ after, limit, tenant: isOperator(caller) ? undefined : caller.tenant });
    return { parked, next: parked.length === limit ? parked.at(-1)?.id : undefined };
  });
  fastify.post(`${base}/parked/:id/replay`, async (request) =>
    consumer.parked.replay(await ownParked(consumer, request)),
  );
  fastify.post(`${base}/parked/:id/discard`, async (request) =>
    consumer.parked.discard(await ownParked(consumer, request)),
  );
  fastify.post(`${base}/projections/:name/rebuild`, async (request) => {
    if (!isOperator(callerOf(request))) throw ApiError.forbidden('rebuilding is for the admins of tenant system');
    const { name } = parse(nameParams, request.params, 'path');
    const isReadModel = parts.readModels.some((model) => model.name === name);
    if (isReadModel) await consumer.rebuild(name);
    else if (parts.projections.some((projection) => projection.name === name)) await log.rebuild(name);
    else throw ApiError.notFound(`${service} has no projection ${name}`);
    return { rebuilt: name };
  });
}

/** @throws ApiError 404 also when the event is another tenant's */
async function ownParked(consumer: Consumer, request: FastifyRequest): Promise<string> {
  const { id } = parse(idParams, request.params, 'path');
  const caller = callerOf(request);
  const tenant = isOperator(caller) ? undefined : caller.tenant;
  const [found] = await consumer.parked.list({ after: String(BigInt(id) - 1n), limit: 1, tenant });
  if (found?.id !== id) throw ApiError.notFound(`there is no parked event ${id}`);
  return id;
}
