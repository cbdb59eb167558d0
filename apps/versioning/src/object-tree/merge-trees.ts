import type { Edit } from './apply-edits';
import { diffTrees, type DiffOptions } from './diff-trees';
import type { NodeStore } from './node-store';

export interface MergeRoots {
  /** What both sides come from. */
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

/** A key that theirs changed since the base. */
export interface Incoming {
  readonly key: Buffer;
  readonly base: Buffer | undefined;
  /** What theirs holds now; undefined when it removed the key. */
  readonly theirs: Buffer | undefined;
  /** Ours changed the same key, to something else. */
  readonly isConflict: boolean;
}

/**
 * What a three-way merge brings into ours, by ascending key: the keys that theirs changed since the base, without those
 * that ours holds as theirs does. Nodes that two sides share are passed over.
 */
export async function* incomingChanges(
  store: NodeStore,
  { base, ours, theirs }: MergeRoots,
  options: DiffOptions,
): AsyncGenerator<Incoming> {
  const ourChanges = diffTrees(store, { left: base, right: ours }, options);
  let our = await ourChanges.next();
  for await (const { key, left, right } of diffTrees(store, { left: base, right: theirs }, options)) {
    while (!our.done && our.value.key.compare(key) < 0) our = await ourChanges.next();
    const ourChange = !our.done && our.value.key.equals(key) ? our.value : undefined;
    const isAgreed = ourChange !== undefined && sameSide(ourChange.right, right, options);
    if (!isAgreed) yield { key, base: left, theirs: right, isConflict: ourChange !== undefined };
  }
}

/** Whom a conflict is decided for; without a strategy, for nobody. */
export type MergeStrategy = 'default' | 'source-wins' | 'dest-wins';

/** A merge stopped at this key, which both sides changed differently. */
export class MergeConflict extends Error {
  constructor(readonly key: Buffer) {
    super(`both sides changed ${key.toString()}`);
    this.name = 'MergeConflict';
  }
}

/** The edits that bring theirs into ours. @throws {MergeConflict} at the first conflict, without a strategy */
export async function* mergeEdits(
  store: NodeStore,
  roots: MergeRoots,
  options: DiffOptions & { readonly strategy: MergeStrategy },
): AsyncGenerator<Edit> {
  for await (const { key, theirs, isConflict } of incomingChanges(store, roots, options)) {
    if (isConflict && options.strategy === 'default') throw new MergeConflict(key);
    if (isConflict && options.strategy === 'dest-wins') continue;
    yield { key, value: theirs };
  }
}

function sameSide(left: Buffer | undefined, right: Buffer | undefined, { same }: DiffOptions): boolean {
  return left === undefined || right === undefined ? left === right : same(left, right);
}
