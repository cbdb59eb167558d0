import { firstKeyPast, startsWith } from './list-entries';
import type { TreeNode } from './node';
import { EMPTY_TREE, type NodeStore } from './node-store';

/** A key whose values differ; undefined on the side that does not have it. */
export interface Difference {
  readonly key: Buffer;
  readonly left: Buffer | undefined;
  readonly right: Buffer | undefined;
}

export interface DiffOptions {
  /** Whether two values count as the same though their bytes differ. */
  readonly same: (left: Buffer, right: Buffer) => boolean;
  /** Only keys from here on. */
  readonly from?: Buffer;
  /** Only keys that begin with it. */
  readonly prefix?: Buffer;
}

/** What differs between two trees, by ascending key. Where both have the same node, it is passed over unread. */
export async function* diffTrees(
  store: NodeStore,
  roots: { readonly left: string; readonly right: string },
  { same, from, prefix = Buffer.alloc(0) }: DiffOptions,
): AsyncGenerator<Difference> {
  if (roots.left === roots.right) return;
  const start = from && from.compare(prefix) > 0 ? from : prefix;
  const past = firstKeyPast(prefix);
  const left = await Walk.open(store, roots.left, start);
  const right = await Walk.open(store, roots.right, start);
  for (;;) {
    const step = nextStep(left.head, right.head);
    if (step === 'end') return;
    if (step === 'skip-both') {
      left.skip();
      right.skip();
    } else if (step === 'expand-left') {
      await left.expand();
    } else if (step === 'expand-right') {
      await right.expand();
    } else {
      const difference = takeEntries(left, right);
      if (past && difference.key.compare(past) >= 0) return;
      const isBoth = difference.left && difference.right;
      const isInside = difference.key.compare(start) >= 0 && startsWith(difference.key, prefix);
      if (isInside && !(isBoth && same(difference.left, difference.right))) yield difference;
    }
  }
}

/** What a walk stands before: an entry, or a whole subtree that nobody looked into yet. */
type Head = EntryHead | SubtreeHead;

interface EntryHead {
  readonly kind: 'entry';
  readonly key: Buffer;
  readonly value: Buffer;
}

interface SubtreeHead {
  readonly kind: 'subtree';
  readonly id: string;
  readonly level: number;
  /** Every key in it is above this; undefined at the left edge. */
  readonly above: Buffer | undefined;
}

type Step = 'end' | 'skip-both' | 'expand-left' | 'expand-right' | 'entries';

/** Looks into a subtree only when the other side does not stand before the same one, and stands before keys within it. */
function nextStep(left: Head | undefined, right: Head | undefined): Step {
  if (!left || !right) {
    if (!left && !right) return 'end';
    if (left?.kind === 'subtree') return 'expand-left';
    return right?.kind === 'subtree' ? 'expand-right' : 'entries';
  }
  if (left.kind === 'entry') return right.kind === 'entry' || isBefore(left, right) ? 'entries' : 'expand-right';
  if (right.kind === 'entry') return isBefore(right, left) ? 'entries' : 'expand-left';
  if (left.id === right.id) return 'skip-both';
  return left.level >= right.level ? 'expand-left' : 'expand-right';
}

function isBefore(entry: EntryHead, subtree: SubtreeHead): boolean {
  return subtree.above !== undefined && entry.key.compare(subtree.above) <= 0;
}

/** Takes the lower entry, or both when they have one key. A subtree is above the other side's entry here. */
function takeEntries(left: Walk, right: Walk): Difference {
  const leftEntry = left.head?.kind === 'entry' ? left.head : undefined;
  const rightEntry = right.head?.kind === 'entry' ? right.head : undefined;
  const order = !leftEntry ? 1 : !rightEntry ? -1 : leftEntry.key.compare(rightEntry.key);
  if (order <= 0) left.skip();
  if (order >= 0) right.skip();
  return {
    key: order <= 0 ? leftEntry!.key : rightEntry!.key,
    left: order <= 0 ? leftEntry!.value : undefined,
    right: order >= 0 ? rightEntry!.value : undefined,
  };
}

/** A way through one tree that stops before each subtree, to pass over it or to look into it. */
class Walk {
  /** From the outermost node looked into to the innermost; all keys of its node are above `above`. */
  private readonly path: { node: TreeNode; index: number; above: Buffer | undefined }[] = [];
  head: Head | undefined;

  private constructor(
    private readonly store: NodeStore,
    private readonly start: Buffer,
  ) {}

  static async open(store: NodeStore, root: string, start: Buffer): Promise<Walk> {
    const walk = new Walk(store, start);
    if (root === EMPTY_TREE) return walk;
    const node = await store.read(root);
    walk.head = { kind: 'subtree', id: root, level: node.level, above: undefined };
    return walk;
  }

  /** Goes past the head, however much is in it. */
  skip(): void {
    const frame = this.path.at(-1);
    if (frame) frame.index += 1;
    this.settle();
  }

  /** Goes into the subtree that is the head, to the first of its records that can hold a key from the start on. */
  async expand(): Promise<void> {
    if (this.head?.kind !== 'subtree') throw new Error('only a subtree can be looked into');
    const node = await this.store.read(this.head.id);
    this.path.push({ node, index: node.search(this.start), above: this.head.above });
    this.settle();
  }

  private settle(): void {
    let frame = this.path.at(-1);
    while (frame && frame.index >= frame.node.length) {
      this.path.pop();
      frame = this.path.at(-1);
      if (frame) frame.index += 1;
    }
    this.head = frame && headAt(frame);
  }
}

function headAt({ node, index, above }: { node: TreeNode; index: number; above: Buffer | undefined }): Head {
  if (node.level === 0) return { kind: 'entry', key: node.key(index), value: node.value(index) };
  return {
    kind: 'subtree',
    id: node.child(index).id,
    level: node.level - 1,
    above: index > 0 ? node.key(index - 1) : above,
  };
}
