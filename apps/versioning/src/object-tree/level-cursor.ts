import type { TreeNode } from './node';
import type { NodeStore } from './node-store';

/** Walks the nodes of one level of a tree from left to right, and can leap ahead. */
export class LevelCursor {
  /** From the root down to the level above; each index is the way taken. */
  private parents: { node: TreeNode; index: number }[] = [];
  private isPlaced = false;

  constructor(
    private readonly store: NodeStore,
    private readonly root: TreeNode,
    private readonly level: number,
  ) {}

  /** The next node, undefined at the end of the level. */
  async next(): Promise<TreeNode | undefined> {
    if (!this.isPlaced) return this.descend(() => 0);
    while (this.parents.length > 0) {
      const { node, index } = this.parents.at(-1)!;
      if (index + 1 < node.length) {
        this.parents.at(-1)!.index += 1;
        return this.descend(() => 0);
      }
      this.parents.pop();
    }
    return undefined;
  }

  /**
   * The node whose range holds a key that is above all nodes given so far: the first whose last key is not below it, or
   * the last of the level. Undefined when the last was given already.
   */
  async leapTo(key: Buffer): Promise<TreeNode | undefined> {
    if (this.isPlaced && this.parents.every(({ node, index }) => index + 1 === node.length)) return undefined;
    this.parents = [];
    return this.descend((node) => Math.min(node.search(key), node.length - 1));
  }

  private async descend(choose: (node: TreeNode) => number): Promise<TreeNode> {
    this.isPlaced = true;
    const deepest = this.parents.at(-1);
    let node = deepest ? await this.store.read(deepest.node.child(deepest.index).id) : this.root;
    while (node.level > this.level) {
      const index = choose(node);
      this.parents.push({ node, index });
      node = await this.store.read(node.child(index).id);
    }
    return node;
  }
}
