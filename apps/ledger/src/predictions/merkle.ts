import { createHash } from 'node:crypto';

const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);

/** One step from a leaf towards the root: the neighbour's hash, and on which side it stands. */
export interface ProofStep {
  readonly side: 'left' | 'right';
  readonly hash: string;
}

/**
 * The way from one digest of a list up to the list's root: RFC 9162 §2.1.3, over the tree of §2.1.1 that serving seals
 * predictions under. It is written here anew, because whoever verifies should not trust the code that sealed.
 *
 * @throws RangeError when the list has no such entry
 */
export function inclusionProof(digests: readonly Buffer[], index: number): ProofStep[] {
  if (index < 0 || index >= digests.length) throw new RangeError(`no digest ${index} among ${digests.length}`);
  if (digests.length === 1) return [];
  const split = largestPowerOfTwoBelow(digests.length);
  const [left, right] = [digests.slice(0, split), digests.slice(split)];
  if (index < split) return [...inclusionProof(left, index), { side: 'right', hash: hexRoot(right) }];
  return [...inclusionProof(right, index - split), { side: 'left', hash: hexRoot(left) }];
}

/** The root that a digest and its proof lead to, in hex: the seal's own root, or the digest is not under it. */
export function rootOfProof(digest: Buffer, proof: readonly ProofStep[]): string {
  let hash = sha256(LEAF, digest);
  for (const step of proof) {
    const neighbour = Buffer.from(step.hash, 'hex');
    hash = step.side === 'left' ? sha256(NODE, neighbour, hash) : sha256(NODE, hash, neighbour);
  }
  return hash.toString('hex');
}

/** The root over a list of digests, in hex. */
export function hexRoot(digests: readonly Buffer[]): string {
  return root(digests).toString('hex');
}

function root(digests: readonly Buffer[]): Buffer {
  const [first] = digests;
  if (!first) return sha256();
  if (digests.length === 1) return sha256(LEAF, first);
  const split = largestPowerOfTwoBelow(digests.length);
  return sha256(NODE, root(digests.slice(0, split)), root(digests.slice(split)));
}

function largestPowerOfTwoBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

function sha256(...parts: Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
