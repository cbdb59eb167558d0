import 'reflect-metadata';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AccessControl, AccessDirectory, accessDirectoryReadModel } from '@mledger/access-control';
import { catalogOf, ROUTES } from '@mledger/contracts';
import {
  Consumer,
  eventBusMigrations,
  Relay,
  type PayloadHandler,
  type Reaction,
  type ReadModel,
} from '@mledger/event-bus';
import { openEventLog, type EventLog } from '@mledger/event-log';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { checkpointSigner, publishCheckpoint } from './checkpoints';
import { Clock, Ids } from './clock';
import { installEdge, s3Rewrite } from './edge/edge';
import { RouteRules } from './edge/route-rules';
import { ErrorSender, ProblemFilter } from './edge/send-error';
import { HEADERS_BYTES_MAX, listenFault } from './front-door';
import { Lifecycle } from './lifecycle';
import { Logger, nestLogger } from './logger';
import { HttpMetrics, Metrics } from './observe/metrics';
import { registerLogMetrics } from './observe/log-metrics';
import { otlpExporter, Tracing } from './observe/tracing';
import { kitRoutes, registerOperatingRoutes } from './operating';
import { observedReaction } from './observe/observed-reaction';
import { ReadModelFeeds } from './read-model-feeds';
import { ServiceModule, type ServiceParts } from './service-module';
import type { Runtime, ServiceDefinition } from './service-definition';

/** Names in paths are bounded by their owners; the router's own limit of 100 would answer 404. */
const PARAMETER_LENGTH_MAX = 8 * 1024;

export interface RunningService {
  readonly name: ServiceDefinition['name'];
  readonly app: NestFastifyApplication;
  readonly log: EventLog;
  readonly metrics: Registry;
  /** Hands a request over that another listener has accepted. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Accepts requests by itself. @returns the URL */
  listen(host: string, port: number): Promise<string>;
  /** What it still waits for, one sentence each; empty when it can serve. */
  unreadyReasons(): Promise<string[]>;
  /** Finishes what it has in hand and everything acknowledged, then lets go of its connections. */
  stop(): Promise<void>;
}

/** Starts one service on what the runtime gives: its log, its application, its relay and its consumer. */
export async function startService(definition: ServiceDefinition, runtime: Runtime): Promise<RunningService> {
  const { config, masterKey } = runtime;
  const clock = runtime.clock ?? new Clock();
  const logger = Logger.create({ service: definition.name, level: config.logLevel });
  const exporter = runtime.spanExporter ?? otlpExporter(config.otlpEndpoint);
  const tracing = Tracing.start({ service: definition.name, exporter });
  const log = await openLog(definition, runtime, logger);
  const directory = new AccessDirectory(log.dataSource);
  const feeds = new ReadModelFeeds();
  const parts: ServiceParts = {
    config,
    log,
    bus: runtime.bus,
    objectStore: runtime.objectStore,
    masterKey,
    directory,
    feeds,
    access: new AccessControl(
      {
        mode: config.auth,
        allowedHosts: config.allowedHosts,
        // Access writes its directory itself: what is not there does not exist.
        ...(definition.name === 'access'
          ? { arrivalMsMax: 0 }
          : { isBehind: () => feeds.isBehind(accessDirectoryReadModel.name) }),
      },
      masterKey,
      directory,
      () => clock.nowMs(),
    ),
    clock,
    ids: runtime.ids ?? new Ids(),
    logger,
    metrics: new Metrics(definition.name),
    lifecycle: new Lifecycle(),
    announcer: { announce: runtime.announce ?? ((text) => void process.stdout.write(`${text}\n`)) },
  };
  try {
    return await startParts(definition, parts, tracing);
  } catch (error) {
    await log.stop();
    await tracing?.stop();
    throw error;
  }
}

function openLog(definition: ServiceDefinition, runtime: Runtime, logger: Logger): Promise<EventLog> {
  const { databaseUrl, poolSizeMax, masterKey } = runtime;
  return openEventLog({
    service: definition.name,
    url: databaseUrl,
    catalog: catalogOf(definition.name),
    projections: definition.projections,
    migrations: [...eventBusMigrations, ...(definition.migrations ?? [])],
    entities: [...(definition.entities ?? []), ...readModelsOf(definition).map(({ entity }) => entity)],
    poolSizeMax,
    signer: checkpointSigner(masterKey),
    onCheckpoint: (checkpoint) => publishCheckpoint(runtime, checkpoint),
    onError: (error, where) => logger.error({ error, where }, 'failed behind the scenes; it is tried again'),
  });
}

/** Access knows itself from its own log; every other service hears of it. */
function readModelsOf({ name, readModels = [] }: ServiceDefinition): readonly ReadModel[] {
  return name === 'access' ? readModels : [accessDirectoryReadModel, ...readModels];
}

async function startParts(
  definition: ServiceDefinition,
  parts: ServiceParts,
  tracing: Tracing | undefined,
): Promise<RunningService> {
  const { log, bus, logger, lifecycle, metrics, access, feeds } = parts;
  const { name: service, reactions = [], payloadHandlers = [] } = definition;
  const { app, fastify, rules, halted } = await createApp(definition, parts, tracing);
  const readModels = readModelsOf(definition);
  const relay = new Relay({ service, log, bus, logger });
  const consumer = new Consumer({
    service,
    log,
    bus,
    logger,
    reactions: reactions.map((type) => observedReaction(app.get<Reaction>(type, { strict: false }), tracing)),
    readModels,
    payloadHandlers: payloadHandlers.map((type) => app.get<PayloadHandler>(type, { strict: false })),
  });
  halted.reason = () => consumer.unreadyReasons()[0];
  feeds.follow(consumer);
  const { projections } = definition;
  registerOperatingRoutes(fastify, { service, log, consumer, projections, readModels, lifecycle, metrics });
  registerLogMetrics(metrics, { log, relay, consumer });
  lifecycle.addReadiness('access', () => access.unreadyReason());
  lifecycle.addReadiness('events of other services', () => consumer.unreadyReasons()[0]);
  lifecycle.addReadiness('relay', () => relay.unreadyReason());
  lifecycle.addReadiness('database', async () => void (await log.store.head()));
  log.start();
  // Providers may look at read models in their own start, on a fresh database too.
  await consumer.prepare();
  await app.init();
  rules.assertComplete();
  await fastify.ready();
  await relay.start();
  await consumer.start();
  return {
    name: service,
    app,
    log,
    metrics: metrics.registry,
    handle: (request, response) => fastify.routing(request, response),
    listen: (host, port) =>
      fastify.listen({ host, port }).catch((error: Error) => {
        throw listenFault(error, host, port);
      }),
    unreadyReasons: () => lifecycle.unreadyReasons(),
    stop: onlyOnce(async () => {
      // From here on nobody new is let in, and those inside still find everything they need.
      fastify.server.close();
      fastify.server.closeIdleConnections();
      await lifecycle.drain();
      // Whoever is left had half a minute.
      fastify.server.closeAllConnections();
      await consumer.stop();
      await app.close();
      await relay.stop();
      await log.stop();
      await tracing?.stop();
    }),
  };
}

async function createApp(definition: ServiceDefinition, parts: ServiceParts, tracing: Tracing | undefined) {
  const { logger, access, lifecycle, clock, ids, metrics } = parts;
  const errors = new ErrorSender(logger, ids, definition.problems);
  const adapter = new FastifyAdapter({
    http: { maxHeaderSize: HEADERS_BYTES_MAX },
    rewriteUrl: s3Rewrite,
    // A path that cannot be decoded is refused before any hook runs.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => errors.send(request, reply, error),
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX },
    forceCloseConnections: 'idle',
    // The edge answers this itself, in the form of the API that is called.
    return503OnClosing: false,
  });
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  const rules = new RouteRules(definition.name, ROUTES, kitRoutes(definition.name));
  const halted: { reason: () => string | undefined } = { reason: () => undefined };
  installEdge(fastify, {
    rules,
    access,
    errors,
    lifecycle,
    clock,
    ids,
    tracing,
    metrics: new HttpMetrics(metrics),
    accessHalted: () => halted.reason(),
  });
  const app = await NestFactory.create<NestFastifyApplication>(ServiceModule.of(definition, parts), adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: nestLogger(logger),
  });
  app.useGlobalFilters(new ProblemFilter(errors));
  return { app, fastify, rules, halted };
}

function onlyOnce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
