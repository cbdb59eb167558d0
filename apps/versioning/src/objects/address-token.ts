import { createHmac, timingSafeEqual } from 'node:crypto';

export const ADDRESS_TOKEN_SECONDS = 24 * 60 * 60;
const SECONDS_BYTES = 6;

/** What a token is given for, and good for alone. */
export interface AddressGrant {
  readonly repositoryId: string;
  readonly branch: string;
  readonly path: string;
  readonly objectId: string;
}

/** Lets its bearer show the bytes at an address under one path, for a day: base64url of (end in seconds, HMAC-SHA256). */
export function addressToken(secret: Buffer, grant: AddressGrant, nowMs: number): string {
  const end = Buffer.alloc(SECONDS_BYTES);
  end.writeUIntBE(Math.floor(nowMs / 1000) + ADDRESS_TOKEN_SECONDS, 0, SECONDS_BYTES);
  return Buffer.concat([end, sign(secret, grant, end)]).toString('base64url');
}

export function isAddressTokenValid(secret: Buffer, grant: AddressGrant, token: string, nowMs: number): boolean {
  const bytes = Buffer.from(token, 'base64url');
  const end = bytes.subarray(0, SECONDS_BYTES);
  const expected = sign(secret, grant, end);
  const given = bytes.subarray(SECONDS_BYTES);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
  return end.readUIntBE(0, SECONDS_BYTES) * 1000 > nowMs;
}

function sign(secret: Buffer, { repositoryId, branch, path, objectId }: AddressGrant, end: Buffer): Buffer {
  return createHmac('sha256', secret)
    .update(JSON.stringify([repositoryId, branch, path, objectId]))
    .update(end)
    .digest();
}
