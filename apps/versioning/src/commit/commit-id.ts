import { createHash } from 'node:crypto';
import type { CommitRecord } from '@mledger/contracts';

export type CommitContent = Omit<CommitRecord, 'id'>;

/**
 * A commit with its id: SHA-256 over committer, message, tree, creation second, metadata by key, and parents, each with its
 * type and length before it, so that no two contents run together to the same bytes.
 */
export function withCommitId(content: CommitContent): CommitRecord {
  const hash = createHash('sha256');
  const add = (type: string, bytes: Buffer | string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(bytes));
    hash.update(type).update(length).update(bytes);
  };
  const seconds = Buffer.alloc(8);
  seconds.writeBigInt64BE(BigInt(content.createdAtSeconds));
  add('v', 'mledger:commit:1');
  add('c', content.committer);
  add('m', content.message);
  add('t', content.treeId);
  add('s', seconds);
  for (const key of Object.keys(content.metadata).sort()) {
    add('k', key);
    add('w', content.metadata[key]!);
  }
  for (const parent of content.parents) add('p', parent);
  return { id: hash.digest('hex'), ...content };
}
