import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { apiOfPath, hasAwsSignature, ownerOfRequest, pathOfTarget, type ServiceName } from '@mledger/contracts';
import { v7 } from 'uuid';
import { CannotStart } from './config';
import { errorAnswer } from './errors/error-forms';
import { problemOf } from './errors/problem';
import type { StaticPage } from './static-page';

/** An upload of gigabytes over a slow line is no attack: only the headers have to arrive in time. */
const HEADERS_MS_MAX = 30_000;
/** Clients of MLflow write filters into the target of a GET: hundreds of run ids are more than Node's 16 KiB. */
export const HEADERS_BYTES_MAX = 256 * 1024;

export interface ServiceHealth {
  readonly ready: boolean;
  /** What it waits for, one sentence each. */
  readonly reasons: readonly string[];
}

export interface FrontDoorParts {
  readonly page: StaticPage;
  health(): Promise<Readonly<Record<string, ServiceHealth>>>;
  /** Hands a request to the service that owns it. @throws ApiError before anything was answered */
  deliver(service: ServiceName, request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/**
 * The one address in front of every service, in standalone and in a cluster: the console's page, the health of all, and for
 * every other request its owner by the table of routes.
 */
export function createFrontDoor(parts: FrontDoorParts): Server {
  const limits = { requestTimeout: 0, headersTimeout: HEADERS_MS_MAX, maxHeaderSize: HEADERS_BYTES_MAX };
  return createServer(limits, (request, response) => {
    answer(parts, request, response).catch((error: unknown) => refuse(error, request, response));
  });
}

async function answer(parts: FrontDoorParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url: target = '/', headers } = request;
  const { authorization } = headers;
  if (!hasAwsSignature({ target, authorization })) {
    const path = pathOfTarget(target);
    if (path === '/health/live') return sendJson(response, 200, { status: 'live' });
    if (path === '/health/ready') return sendHealth(parts, response);
    if (parts.page(path, request, response)) return;
  }
  // What is nobody's is refused by access, in the form of the API that was meant.
  await parts.deliver(ownerOfRequest({ method, target, authorization }) ?? 'access', request, response);
}

async function sendHealth(parts: FrontDoorParts, response: ServerResponse): Promise<void> {
  const services = await parts.health();
  const ready = Object.values(services).every((service) => service.ready);
  sendJson(response, ready ? 200 : 503, { status: ready ? 'ready' : 'unready', services });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}

function refuse(error: unknown, request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent) return void response.destroy();
  const { url: target = '/', headers } = request;
  const api = hasAwsSignature({ target, authorization: headers.authorization })
    ? 's3'
    : apiOfPath(pathOfTarget(target));
  const requestId = v7();
  const told = errorAnswer(problemOf(error), api, { requestId, path: pathOfTarget(target) });
  response.writeHead(told.status, { ...told.headers, 'x-request-id': requestId }).end(told.body);
}

/**
 * Binds the address, or says what is in the way.
 *
 * @returns the URL that it listens at; the port is the one taken where 0 was asked for
 */
export async function bind(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenFault(error, host, port)));
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

/** Why an address could not be bound, in words that say what to do. */
export function listenFault(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code !== 'EADDRINUSE') return error;
  return new CannotStart(
    `port ${port} of ${host} is taken: stop what listens there, or choose another by MLEDGER_PORT`,
  );
}
