import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { hasAwsSignature, ownerOfRequest, pathOfTarget, type ServiceName } from '@mledger/contracts';
import type { RunningService, StaticPage } from '@mledger/service-kit';

/** An upload of gigabytes over a slow line is no attack: only the headers have to arrive in time. */
const HEADERS_MS_MAX = 30_000;

export interface ListenerParts {
  readonly page: StaticPage;
  /** Filled while they start; a request for one that is missing is told to come back. */
  readonly services: ReadonlyMap<ServiceName, RunningService>;
  isReady(): boolean;
}

/** The one listener in front of every service: finds who owns a request and hands it over in memory. */
export function createListener(parts: ListenerParts): Server {
  return createServer({ requestTimeout: 0, headersTimeout: HEADERS_MS_MAX }, (request, response) => {
    void answer(parts, request, response);
  });
}

async function answer(parts: ListenerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url: target = '/', headers } = request;
  const authorization = headers.authorization;
  if (!hasAwsSignature({ target, authorization })) {
    const path = pathOfTarget(target);
    if (path === '/health/live') return sendJson(response, 200, { status: 'live' });
    if (path === '/health/ready') return sendHealth(parts, response);
    if (parts.page(path, request, response)) return;
  }
  // Whose it is not is refused by access, in the form of the API that was meant.
  const service = parts.services.get(ownerOfRequest({ method, target, authorization }) ?? 'access');
  if (service) return service.handle(request, response);
  response.setHeader('retry-after', '1');
  sendJson(response, 503, { error: 'MLedger is still starting: try again in a moment' });
}

async function sendHealth({ services, isReady }: ListenerParts, response: ServerResponse): Promise<void> {
  const health = await Promise.all(
    [...services].map(async ([name, service]) => {
      const reasons = await service.unreadyReasons();
      return [name, { ready: reasons.length === 0, reasons }] as const;
    }),
  );
  const ready = isReady() && health.every(([, { ready }]) => ready);
  sendJson(response, ready ? 200 : 503, { status: ready ? 'ready' : 'unready', services: Object.fromEntries(health) });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}

/**
 * Binds the address, or says what is in the way.
 *
 * @returns the URL that it listens at; the port is the one taken where 0 was asked for
 */
export async function bind(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `port ${port} of ${host} is taken: stop what listens there, or choose another by MLEDGER_PORT`;
      reject(error.code === 'EADDRINUSE' ? new Error(taken) : error);
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}
