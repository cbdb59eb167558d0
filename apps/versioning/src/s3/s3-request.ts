import type { Readable } from 'node:stream';
import { verifiedPayload } from '@mledger/access-control';
import { callerOf, type Caller, type FastifyRequest } from '@mledger/service-kit';
import { noSuchKey, s3Error } from './s3-errors';

const PART_NUMBER_MAX = 10_000;

/** A request to S3 as its path and query say it: `/<repository>/<ref>/<key>`. */
export interface S3Request {
  readonly caller: Caller;
  readonly method: string;
  /** Empty for the service itself. */
  readonly bucket: string;
  /** What follows the bucket, decoded; empty for the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: FastifyRequest['headers'];
  readonly requestId: string;
  /** The body as its sender meant it, every digest of it checked on the way. */
  payload(): Readable;
}

export interface ObjectName {
  readonly ref: string;
  readonly path: string;
}

export function s3Request(request: FastifyRequest): S3Request {
  const { target, requestId } = request.edge;
  const { method, headers } = request;
  const caller = callerOf(request);
  const queryAt = target.indexOf('?');
  const path = queryAt < 0 ? target : target.slice(0, queryAt);
  const [, bucket = '', ...rest] = path.split('/');
  const query = new URLSearchParams(queryAt < 0 ? '' : target.slice(queryAt + 1));
  // The checksums of a completion speak of the object that it makes, not of the document that is sent.
  const ofBody = method === 'POST' && query.has('uploadId') ? withoutChecksums(headers) : headers;
  return {
    caller,
    method,
    bucket: decodeURIComponent(bucket),
    key: decodeURIComponent(rest.join('/')),
    query,
    headers,
    requestId,
    payload: () => {
      const { aws } = caller.identity;
      if (!aws) throw new Error('a request to S3 got past the edge without a signature');
      return verifiedPayload({ method, target, headers: ofBody }, aws, bodyOf(request)).stream;
    },
  };
}

function withoutChecksums(headers: FastifyRequest['headers']): FastifyRequest['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('x-amz-checksum-')));
}

/** A request without a body has none to hand on, but an empty one to be checked all the same. */
function bodyOf(request: FastifyRequest): Readable {
  return (request.body as Readable | undefined) ?? request.raw;
}

/** @throws NoSuchKey for a key that names a ref and nothing in it */
export function objectName(key: string): ObjectName {
  const cut = key.indexOf('/');
  if (cut <= 0 || cut === key.length - 1) throw noSuchKey();
  return { ref: key.slice(0, cut), path: key.slice(cut + 1) };
}

/** What `x-amz-copy-source` names: `/<repository>/<ref>/<key>`, percent-encoded, with or without the first slash. */
export function copySourceOf(header: string): ObjectName & { readonly bucket: string } {
  let decoded: string;
  try {
    decoded = decodeURIComponent(header.replace(/\?versionId=.*$/, ''));
  } catch {
    throw s3Error(400, 'InvalidArgument', 'x-amz-copy-source is not percent-encoded UTF-8');
  }
  const [bucket = '', ...rest] = decoded.replace(/^\//, '').split('/');
  return { bucket, ...objectName(rest.join('/')) };
}

export function headerOf({ headers }: Pick<S3Request, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

export function partNumberOf({ query }: Pick<S3Request, 'query'>): number {
  const text = query.get('partNumber') ?? '';
  const partNumber = Number(text);
  if (/^\d{1,5}$/.test(text) && partNumber >= 1 && partNumber <= PART_NUMBER_MAX) return partNumber;
  throw s3Error(400, 'InvalidArgument', `Part number must be an integer between 1 and ${PART_NUMBER_MAX}`);
}
