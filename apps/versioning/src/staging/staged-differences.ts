import { sameEntry } from '../entry/entry';
import type { Difference } from '../object-tree/diff-trees';
import { firstKeyPast, startsWith } from '../object-tree/list-entries';
import type { NodeStore } from '../object-tree/node-store';
import { TreeCursor } from '../object-tree/tree-cursor';
import type { BranchMoment } from './staging';

/** What a commit of the staged changes would change, by path: without rows that say what the tree says already. */
export async function* stagedDifferences(
  nodes: NodeStore,
  moment: BranchMoment,
  { from, prefix = Buffer.alloc(0) }: { from?: Buffer; prefix?: Buffer } = {},
): AsyncGenerator<Difference> {
  const staged = moment.staged();
  const tree = new TreeCursor(nodes, moment.treeId);
  const past = firstKeyPast(prefix);
  await staged.seek(from && from.compare(prefix) > 0 ? from : prefix);
  for (let row = staged.current; row; row = staged.current) {
    if (!startsWith(row.path, prefix) && (!past || row.path.compare(past) >= 0)) return;
    await tree.seek(row.path);
    const left = tree.current?.key.equals(row.path) ? tree.current.value : undefined;
    const right = row.entry ?? undefined;
    const isSame = left && right ? sameEntry(left, right) : left === right;
    if (!isSame) yield { key: row.path, left, right };
    await staged.advance();
  }
}

/** Whether a commit of what is staged would change anything. */
export async function isDirty(nodes: NodeStore, moment: BranchMoment): Promise<boolean> {
  for await (const _ of stagedDifferences(nodes, moment)) return true;
  return false;
}
