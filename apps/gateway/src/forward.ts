import { Agent, request, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** How long a request waits for a replica that accepts connections, as while one is being started again. */
export const CONNECT_WAIT_MS_MAX = 15_000;
const CONNECT_RETRY_MS = 100;
/** Headers between two neighbours only (RFC 9110 §7.6.1); everything else, Host included, goes through untouched. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export class UpstreamUnavailable extends Error {}

const agent = new Agent({ keepAlive: true, maxSockets: 512 });

/**
 * Forwards a request with its raw target and its Host, streaming both bodies.
 * As long as no replica has accepted the connection nothing was sent, so any method may be tried on the next one.
 *
 * @throws UpstreamUnavailable when nothing was answered; the caller tells the client, in the form of its API.
 */
export async function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  replicas: readonly URL[],
): Promise<void> {
  const deadlineMs = Date.now() + CONNECT_WAIT_MS_MAX;
  for (let attempt = 0; ; attempt += 1) {
    const replica = replicas[attempt % replicas.length]!;
    try {
      return await forwardTo(replica, incoming, outgoing);
    } catch (error) {
      const notConnected = error instanceof NotConnected;
      if (!notConnected || Date.now() >= deadlineMs || incoming.destroyed) {
        throw new UpstreamUnavailable(error instanceof Error ? error.message : String(error));
      }
      if (attempt % replicas.length === replicas.length - 1) await delay(CONNECT_RETRY_MS);
    }
  }
}

class NotConnected extends Error {}

function forwardTo(replica: URL, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const upstream = request({
      agent,
      host: replica.hostname,
      port: replica.port,
      method: incoming.method,
      path: incoming.url,
      headers: withoutHopByHop(incoming.rawHeaders),
      setHost: false,
    });
    let connected = false;
    const send = () => {
      connected = true;
      incoming.pipe(upstream);
    };
    upstream.once('socket', (socket) => (socket.connecting ? socket.once('connect', send) : send()));
    upstream.once('error', (error) => {
      incoming.unpipe(upstream);
      if (outgoing.headersSent) outgoing.destroy(error);
      reject(connected ? error : new NotConnected(error.message));
    });
    upstream.once('response', (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.statusMessage, withoutHopByHop(response.rawHeaders));
      response.pipe(outgoing);
      response.once('end', resolve);
      response.once('error', (error) => {
        outgoing.destroy(error);
        reject(error);
      });
    });
    abortWith(outgoing, upstream);
  });
}

/** A client that goes away takes its upstream request with it, or a live feed would run for nobody. */
function abortWith(outgoing: ServerResponse, upstream: ClientRequest): void {
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) upstream.destroy(new Error('the client went away'));
  });
}

function withoutHopByHop(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (!HOP_BY_HOP.has(name.toLowerCase())) kept.push(name, rawHeaders[index + 1]!);
  }
  return kept;
}
