import type { TreeNode } from './node';

/** Where the functions of this folder find nodes and leave new ones. Nodes never change, so both may cache. */
export interface NodeStore {
  /** @throws when there is no such node */
  read(id: string): Promise<TreeNode>;
  /** Keeps a node; it is durable when the promise is fulfilled. */
  write(node: TreeNode): Promise<void>;
}

/** The root of a tree without entries; it has no node. */
export const EMPTY_TREE = '';

/** Nodes in memory, for what is thrown away. */
export class MemoryNodeStore implements NodeStore {
  private readonly nodes = new Map<string, TreeNode>();
  /** In the order in which they were written, repetitions included. */
  readonly written: TreeNode[] = [];

  async read(id: string): Promise<TreeNode> {
    const node = this.nodes.get(id);
    if (!node) throw new Error(`there is no tree node ${id}`);
    return node;
  }

  async write(node: TreeNode): Promise<void> {
    this.written.push(node);
    this.nodes.set(node.id, node);
  }
}
