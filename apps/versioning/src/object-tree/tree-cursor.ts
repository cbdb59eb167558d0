import type { TreeNode } from './node';
import { EMPTY_TREE, type NodeStore } from './node-store';

/** Entries by ascending key, with leaps; what listings are made from. */
export interface EntryCursor {
  /** Undefined past the last entry, and before the first `seek`. */
  readonly current: { readonly key: Buffer; readonly value: Buffer } | undefined;
  /** Goes to the first entry whose key is not below `key`, forwards or backwards. */
  seek(key: Buffer): Promise<void>;
  advance(): Promise<void>;
}

/** The entries of a tree. */
export class TreeCursor implements EntryCursor {
  /** From the root down to a leaf; each index is the way taken. */
  private path: { node: TreeNode; index: number }[] = [];

  constructor(
    private readonly store: NodeStore,
    private readonly root: string,
  ) {}

  get current(): { key: Buffer; value: Buffer } | undefined {
    const leaf = this.path.at(-1);
    return leaf && { key: leaf.node.key(leaf.index), value: leaf.node.value(leaf.index) };
  }

  async seek(key: Buffer): Promise<void> {
    this.path = [];
    if (this.root === EMPTY_TREE) return;
    let node = await this.store.read(this.root);
    for (;;) {
      const index = node.search(key);
      if (index === node.length) {
        // Only at the root: below it, the key is at most the last one of the child that was chosen.
        this.path = [];
        return;
      }
      this.path.push({ node, index });
      if (node.level === 0) return;
      node = await this.store.read(node.child(index).id);
    }
  }

  async advance(): Promise<void> {
    for (let frame = this.path.at(-1); frame; frame = this.path.at(-1)) {
      frame.index += 1;
      if (frame.index < frame.node.length) return this.descend(frame);
      this.path.pop();
    }
  }

  private async descend(from: { node: TreeNode; index: number }): Promise<void> {
    for (let frame = from; frame.node.level > 0; frame = this.path.at(-1)!) {
      this.path.push({ node: await this.store.read(frame.node.child(frame.index).id), index: 0 });
    }
  }
}

/** The value under a key, undefined when there is none; reads one node a level. */
export async function getEntry(store: NodeStore, root: string, key: Buffer): Promise<Buffer | undefined> {
  if (root === EMPTY_TREE) return undefined;
  let node = await store.read(root);
  for (;;) {
    const index = node.search(key);
    if (index === node.length) return undefined;
    if (node.level === 0) return node.compareKey(index, key) === 0 ? node.value(index) : undefined;
    node = await store.read(node.child(index).id);
  }
}
