import { createPrivateKey } from 'node:crypto';
import type { MasterKey } from '@mledger/access-control';
import { CHECKPOINTS_TOPIC } from '@mledger/contracts';
import type { EventBus } from '@mledger/event-bus';
import { signerOf, type SignedCheckpoint, type Signer } from '@mledger/event-log';
import { newObjectKey, ObjectStoreError, type ObjectStore } from '@mledger/object-store';

/** DER of an Ed25519 private key is this and the 32 bytes of its seed (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SEQ_DIGITS = 16;

/** Signs checkpoints with a key that every replica derives and Postgres never sees. */
export function checkpointSigner(masterKey: MasterKey): Signer {
  const der = Buffer.concat([PKCS8_PREFIX, masterKey.keyFor('checkpoint')]);
  return signerOf(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
}

/** Where a checkpoint lies: `system/<service>/checkpoints/<2 hex>/<seq in 16 digits>`. */
export function checkpointKey({ service, seq }: Pick<SignedCheckpoint, 'service' | 'seq'>): string {
  const id = String(seq).padStart(SEQ_DIGITS, '0');
  return newObjectKey({ tenant: 'system', service, ownerId: 'checkpoints', id });
}

/**
 * Puts a checkpoint where whoever administers the database has no say: into the object store, where one that is there
 * already is never replaced, and onto its topic. Rejects unless both have it; then it is called again.
 */
export async function publishCheckpoint(
  { objectStore, bus }: { objectStore: ObjectStore; bus: EventBus },
  checkpoint: SignedCheckpoint,
): Promise<void> {
  const value = Buffer.from(JSON.stringify(checkpoint));
  try {
    await objectStore.put(checkpointKey(checkpoint), value, { ifNoneMatch: '*', contentType: 'application/json' });
  } catch (error) {
    if (!(error instanceof ObjectStoreError) || error.code !== 'exists') throw error;
  }
  const headers = { 'content-type': 'application/json' };
  await bus.publish(CHECKPOINTS_TOPIC, [{ key: checkpoint.service, headers, value }]);
}
