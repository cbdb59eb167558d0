import { createHmac, timingSafeEqual } from 'node:crypto';
import { assertObjectKey } from './object-key';
import type { PresignOptions } from './object-store';

/** Where the platform serves the objects of a folder to whoever holds a signed URL. */
export const PRESIGNED_PATH = '/api/mledger/v1/presigned/';
export const PRESIGN_SECONDS_MAX = 7 * 24 * 60 * 60;

export type PresignedMethod = 'GET' | 'PUT';

interface PresignedTerms extends PresignOptions {
  readonly key: string;
  readonly method: PresignedMethod;
}

/** What a valid signed URL allows. */
export interface PresignedGrant {
  readonly key: string;
  readonly method: PresignedMethod;
  readonly fileName?: string;
  readonly contentType?: string;
}

/** `<PRESIGNED_PATH><key>?method=…&expires=<unix seconds>[&filename=…][&type=…]&signature=<HMAC-SHA256 over all before>`. */
export function presignUrl(secret: Buffer, terms: PresignedTerms, nowMs = Date.now()): string {
  const { expiresInSeconds } = terms;
  if (!(expiresInSeconds >= 1 && expiresInSeconds <= PRESIGN_SECONDS_MAX)) {
    throw new RangeError(`a signed URL holds 1 to ${PRESIGN_SECONDS_MAX} seconds, not ${expiresInSeconds}`);
  }
  const query = new URLSearchParams({
    method: terms.method,
    expires: String(Math.floor(nowMs / 1000 + expiresInSeconds)),
    ...(terms.fileName !== undefined && { filename: terms.fileName }),
    ...(terms.contentType !== undefined && { type: terms.contentType }),
  });
  const signed = `${PRESIGNED_PATH}${terms.key}?${query.toString()}`;
  return `${signed}&signature=${sign(secret, signed).toString('hex')}`;
}

/**
 * What a signed URL allows, or undefined: the signature is wrong, the time is over, or the method is another.
 *
 * @param target path and query exactly as on the request line
 */
export function verifyPresigned(
  secret: Buffer,
  { method, target }: { method: string; target: string },
  nowMs = Date.now(),
): PresignedGrant | undefined {
  const match = /^(?<signed>(?<path>[^?]+)\?(?<query>.+))&signature=(?<signature>[0-9a-f]{64})$/.exec(target)?.groups;
  if (!match?.path?.startsWith(PRESIGNED_PATH)) return undefined;
  const expected = sign(secret, match.signed ?? '');
  if (!timingSafeEqual(expected, Buffer.from(match.signature ?? '', 'hex'))) return undefined;
  const query = new URLSearchParams(match.query);
  const signedMethod = query.get('method');
  const isOver = Number(query.get('expires')) * 1000 <= nowMs;
  if (isOver || (signedMethod !== 'GET' && signedMethod !== 'PUT') || !isAllowed(signedMethod, method))
    return undefined;
  const key = match.path.slice(PRESIGNED_PATH.length);
  assertObjectKey(key);
  return {
    key,
    method: signedMethod,
    fileName: query.get('filename') ?? undefined,
    contentType: query.get('type') ?? undefined,
  };
}

function isAllowed(signedMethod: PresignedMethod, method: string): boolean {
  return method === signedMethod || (method === 'HEAD' && signedMethod === 'GET');
}

function sign(secret: Buffer, text: string): Buffer {
  return createHmac('sha256', secret).update(text).digest();
}
