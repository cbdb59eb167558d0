import { join } from 'node:path';
import { SERVICE_NAMES, type ServiceName } from '@mledger/contracts';
import {
  ApiError,
  bind,
  createFrontDoor,
  Logger,
  staticPage,
  type Config,
  type ServiceHealth,
} from '@mledger/service-kit';
import { forward, UpstreamUnavailable, type EndFeed } from './forward';
import { Upstreams } from './upstreams';

const HEALTH_MS_MAX = 2_000;
/** As long as a service takes at most to finish what it has in hand. */
const DRAIN_MS_MAX = 30_000;

/**
 * The one address of a cluster, until SIGINT or SIGTERM: no state, no database, any number of replicas.
 * It never reads a body or a credential; each service checks both on its own.
 *
 * @throws an error that names what is missing in the environment, or what is in the way
 */
export async function runGateway(config: Config): Promise<void> {
  const logger = Logger.create({ service: 'gateway', level: config.logLevel });
  const upstreams = new Upstreams(config.serviceUrls);
  const feeds = new Set<EndFeed>();
  const door = createFrontDoor({
    page: staticPage(join(require.resolve('@mledger/console/package.json'), '../dist')),
    health: () => healthOf(upstreams),
    deliver: async (service, request, response) => {
      try {
        await forward(request, response, upstreams.inTurn(service), feeds);
      } catch (error) {
        if (!(error instanceof UpstreamUnavailable)) throw error;
        logger.warn({ service, reason: error.message }, 'a service does not answer');
        throw ApiError.unavailable(`${service} does not answer now: try again in a moment`);
      }
    },
  });
  const url = await bind(door, config.host, config.port);
  const stop = (signal: string) => {
    logger.info({ signal }, 'stopping');
    door.prependListener('request', (_request, response) => (response.shouldKeepAlive = false));
    door.close(() => process.exit(0));
    door.closeIdleConnections();
    for (const end of feeds) end();
    setTimeout(() => door.closeAllConnections(), DRAIN_MS_MAX).unref();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  logger.info({ url }, 'listening');
}

async function healthOf(upstreams: Upstreams): Promise<Record<string, ServiceHealth>> {
  const health = SERVICE_NAMES.map(async (name) => [name, await healthOfService(name, upstreams)] as const);
  return Object.fromEntries(await Promise.all(health));
}

/** A service serves as long as one of its replicas does. */
async function healthOfService(name: ServiceName, upstreams: Upstreams): Promise<ServiceHealth> {
  const replicas = await Promise.all(upstreams.inTurn(name).map(healthOfReplica));
  return replicas.find(({ ready }) => ready) ?? replicas[0]!;
}

async function healthOfReplica(replica: URL): Promise<ServiceHealth> {
  try {
    const signal = AbortSignal.timeout(HEALTH_MS_MAX);
    const response = await fetch(new URL('/health/ready', replica), { signal });
    const { reasons = [] } = (await response.json()) as { reasons?: string[] };
    return { ready: response.ok, reasons };
  } catch (error) {
    return { ready: false, reasons: [`it does not answer: ${error instanceof Error ? error.message : String(error)}`] };
  }
}
