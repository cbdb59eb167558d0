import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import type { MasterKey } from './master-key';

const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const SECRET_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
export const SECRET_LENGTH_MIN = 32;

export interface AccessKey {
  readonly keyId: string;
  readonly secret: string;
}

/** A new key: an id that lakeFS clients call well-formed, and 240 random bits. */
export function newAccessKey(): AccessKey {
  return { keyId: `AKIAJ${pick(ID_ALPHABET, 14)}Q`, secret: pick(SECRET_ALPHABET, 40) };
}

/** Why a key that somebody brings along is not taken, or undefined when it is. */
export function faultOfSuppliedKey({ keyId, secret }: AccessKey): string | undefined {
  if (!/^[A-Za-z0-9_-]{3,64}$/.test(keyId)) return 'the key id must be 3 to 64 of letters, digits, "_" and "-"';
  if (secret.length < SECRET_LENGTH_MIN) return `the secret must have at least ${SECRET_LENGTH_MIN} characters`;
  if (!/^[\x21-\x7e]{1,256}$/.test(secret)) return 'the secret must be at most 256 printable ASCII characters';
  return undefined;
}

/** What the log keeps of a secret: its digest for Basic and Bearer, itself under seal for AWS signatures. */
export function sealedKey(masterKey: MasterKey, tenant: string, { keyId, secret }: AccessKey) {
  return {
    secretSha256: createHash('sha256').update(secret).digest('hex'),
    sealedSecret: masterKey.seal(secret, sealContext(tenant, keyId)),
  };
}

/** The secret of a key, for checking or making an AWS signature. */
export function openSecret(masterKey: MasterKey, key: { tenant: string; keyId: string; sealedSecret: string }): string {
  return masterKey.open(key.sealedSecret, sealContext(key.tenant, key.keyId));
}

/** Compares in constant time; an absent digest takes as long and never matches. */
export function secretMatches(secret: string, secretSha256: string | undefined): boolean {
  const digest = createHash('sha256').update(secret).digest();
  const expected = secretSha256 ? Buffer.from(secretSha256, 'hex') : Buffer.alloc(digest.length);
  return timingSafeEqual(digest, expected) && secretSha256 !== undefined;
}

const sealContext = (tenant: string, keyId: string): string => `mledger:key:${tenant}:${keyId}`;

function pick(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}
