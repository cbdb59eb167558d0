import type { TreeNode } from './node';

/** Nodes in memory, the least recently used ones dropped when their bytes are too many. */
export class NodeCache {
  private readonly nodes = new Map<string, TreeNode>();
  private sizeBytes = 0;

  constructor(private readonly sizeBytesMax: number) {}

  get(key: string): TreeNode | undefined {
    const node = this.nodes.get(key);
    if (!node) return undefined;
    // A map keeps the order in which keys were set.
    this.nodes.delete(key);
    this.nodes.set(key, node);
    return node;
  }

  set(key: string, node: TreeNode): void {
    if (this.nodes.has(key)) return;
    this.nodes.set(key, node);
    this.sizeBytes += node.bytes.length;
    for (const [oldest, old] of this.nodes) {
      if (this.sizeBytes <= this.sizeBytesMax) return;
      this.nodes.delete(oldest);
      this.sizeBytes -= old.bytes.length;
    }
  }
}
