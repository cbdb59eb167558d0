import { createHash } from 'node:crypto';

const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);

const sha256 = (...parts: Buffer[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/**
 * The Merkle tree hash of RFC 9162 §2.1.1 over a list of digests, in order: leaves and nodes are hashed apart, so that no
 * node can be passed off as a leaf.
 */
export function merkleRoot(digests: readonly Buffer[]): Buffer {
  const [first] = digests;
  if (!first) return sha256();
  if (digests.length === 1) return sha256(LEAF, first);
  let split = 1;
  while (split * 2 < digests.length) split *= 2;
  return sha256(NODE, merkleRoot(digests.slice(0, split)), merkleRoot(digests.slice(split)));
}
