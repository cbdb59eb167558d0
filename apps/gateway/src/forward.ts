import { Agent, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** How long a request waits for a replica that accepts connections: longer than one that was killed takes to come back. */
const CONNECT_WAIT_MS_MAX = 20_000;
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

/** Ends an answer that has no end of its own. */
export type EndFeed = () => void;

const agent = new Agent({ keepAlive: true, maxSockets: 512 });

/**
 * Forwards a request with its raw target and its Host, streaming both bodies.
 * As long as no replica has accepted the connection nothing was sent, so any method may be tried on the next one. A read that
 * was cut off before its answer, as by a replica that was killed, is sent once more: a write might happen twice, and a
 * request that kills whoever reads it must not go round.
 *
 * @param feeds where this answer is found while it is an endless one
 * @throws UpstreamUnavailable when nothing was answered; the caller tells the client, in the form of its API.
 */
export async function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  replicas: readonly URL[],
  feeds: Set<EndFeed>,
): Promise<void> {
  const deadlineMs = Date.now() + CONNECT_WAIT_MS_MAX;
  const clientGone = goneSignal(outgoing);
  let mayRepeat = isRead(incoming);
  for (let attempt = 0; ; attempt += 1) {
    const replica = replicas[attempt % replicas.length]!;
    try {
      const response = await sendTo(replica, incoming, clientGone);
      return await answerWith(response, outgoing, feeds);
    } catch (error) {
      const notConnected = error instanceof NotConnected;
      const again = !outgoing.headersSent && (notConnected || mayRepeat);
      if (!again || Date.now() >= deadlineMs || clientGone.aborted) {
        throw new UpstreamUnavailable(error instanceof Error ? error.message : String(error));
      }
      if (!notConnected) mayRepeat = false;
      if (attempt % replicas.length === replicas.length - 1) await delay(CONNECT_RETRY_MS);
    }
  }
}

class NotConnected extends Error {}

/** A client that goes away takes its upstream request with it, or a live feed would run for nobody. */
function goneSignal(outgoing: ServerResponse): AbortSignal {
  const gone = new AbortController();
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** Has no body and changes nothing, whatever it asks for. */
function isRead({ method, headers }: IncomingMessage): boolean {
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  return (method === 'GET' || method === 'HEAD') && !hasBody;
}

/** @throws NotConnected when the replica accepted no connection, so that nothing of the request was sent */
function sendTo(replica: URL, incoming: IncomingMessage, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const upstream = request({
      agent,
      host: replica.hostname,
      port: replica.port,
      method: incoming.method,
      path: incoming.url,
      headers: requestHeaders(incoming),
      setHost: false,
      signal,
    });
    let connected = false;
    const send = () => {
      connected = true;
      incoming.pipe(upstream);
    };
    upstream.once('socket', (socket) => (socket.connecting ? socket.once('connect', send) : send()));
    upstream.on('error', (error) => {
      incoming.unpipe(upstream);
      reject(connected ? error : new NotConnected(error.message));
    });
    upstream.once('response', resolve);
  });
}

function answerWith(response: IncomingMessage, outgoing: ServerResponse, feeds: Set<EndFeed>): Promise<void> {
  return new Promise((resolve, reject) => {
    outgoing.writeHead(response.statusCode ?? 502, response.statusMessage, withoutHopByHop(response.rawHeaders));
    response.pipe(outgoing);
    if (response.headers['content-type']?.startsWith('text/event-stream')) {
      const end = () => {
        response.unpipe(outgoing);
        outgoing.end();
      };
      feeds.add(end);
      outgoing.once('close', () => feeds.delete(end));
    }
    response.once('end', resolve);
    response.once('error', (error) => {
      outgoing.destroy(error);
      reject(error);
    });
  });
}

/** A chunked body is framed anew: left to itself, Node sends that of a GET or DELETE bare, to be read as the next request. */
function requestHeaders({ rawHeaders, headers }: IncomingMessage): string[] {
  const kept = withoutHopByHop(rawHeaders);
  const framing = headers['transfer-encoding'];
  return framing === undefined ? kept : [...kept, 'Transfer-Encoding', framing];
}

function withoutHopByHop(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (!HOP_BY_HOP.has(name.toLowerCase())) kept.push(name, rawHeaders[index + 1]!);
  }
  return kept;
}
