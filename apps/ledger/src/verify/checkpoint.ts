import { createPublicKey, verify } from 'node:crypto';
import { SERVICE_NAMES } from '@mledger/contracts';
import { canonicalJson } from '@mledger/event-log';
import { z } from 'zod';

/** The head of a service's public order, signed with a key that Postgres has never seen. */
export const signedCheckpoint = z.object({
  service: z.enum(SERVICE_NAMES),
  seq: z.number().int().positive(),
  chain: z.string().regex(/^[0-9a-f]{64}$/),
  at: z.string(),
  /** Raw Ed25519 public key, base64url. */
  keyId: z.string().max(64),
  /** Over the RFC 8785 text of the other fields, base64url. */
  ed25519: z.string().max(128),
});
export type Checkpoint = z.output<typeof signedCheckpoint>;

/** Whether the checkpoint was signed by the key of this id, and so by whoever holds the installation's master key. */
export function isSignedBy(keyId: string, { ed25519, ...signed }: Checkpoint): boolean {
  if (signed.keyId !== keyId) return false;
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: keyId }, format: 'jwk' });
  return verify(null, Buffer.from(canonicalJson(signed)), key, Buffer.from(ed25519, 'base64url'));
}
