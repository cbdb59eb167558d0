import { Chunker, type Chunk } from './chunker';
import { LevelCursor } from './level-cursor';
import { boundaryHash, encodeChild, encodeNode, TreeNode } from './node';
import { EMPTY_TREE, type NodeStore } from './node-store';

/** A new value under a key, or the key's removal. */
export interface Edit {
  readonly key: Buffer;
  readonly value: Buffer | undefined;
}

export interface EditCounts {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

export interface ApplyOptions {
  /** Whether an entry may stay as it is though an edit has other bytes for it; equal bytes by default. */
  readonly same?: (old: Buffer, edited: Buffer) => boolean;
}

const WRITES_IN_FLIGHT_MAX = 8;

/**
 * The tree that holds the entries of another, edited. What it gives depends only on the resulting entries: any way to the
 * same entries ends at the same root. Reads and writes only the nodes that edits fall into, and seldom one beside them.
 *
 * @param edits by ascending key, each key once
 */
export async function applyEdits(
  store: NodeStore,
  root: string,
  edits: Iterable<Edit> | AsyncIterable<Edit>,
  { same = equalBytes }: ApplyOptions = {},
): Promise<{ root: string; counts: EditCounts }> {
  const oldRoot = root === EMPTY_TREE ? undefined : await store.read(root);
  const leaves = new LevelEditor(store, oldRoot, 0, same);
  await leaves.run(edits);
  let editor = leaves;
  while (oldRoot && editor.level < oldRoot.level) {
    const next: LevelEditor = new LevelEditor(store, oldRoot, editor.level + 1, equalBytes);
    await next.run(editor.editsAbove());
    editor = next;
  }
  if (editor.isUntouched) return { root, counts: leaves.counts };
  return { root: await growRoot(store, editor), counts: leaves.counts };
}

function equalBytes(left: Buffer, right: Buffer): boolean {
  return left.equals(right);
}

/** Builds levels above until one node is left, or goes down while the top node has a single child: a tree has no idle top. */
async function growRoot(store: NodeStore, top: LevelEditor): Promise<string> {
  let editor = top;
  while (editor.made.length > 1) {
    const next: LevelEditor = new LevelEditor(store, undefined, editor.level + 1, equalBytes);
    await next.run(editor.editsAbove());
    editor = next;
  }
  const [only] = editor.made;
  if (!only) return EMPTY_TREE;
  let node = await store.read(only.id);
  while (node.level > 0 && node.length === 1) node = await store.read(node.child(0).id);
  return node.id;
}

interface MadeNode {
  readonly id: string;
  readonly lastKey: Buffer;
  readonly count: number;
}

/** Rewrites one level of a tree by edits to its records; what became of its nodes are the edits of the level above. */
class LevelEditor {
  readonly made: MadeNode[] = [];
  readonly counts = { added: 0, changed: 0, removed: 0 };
  /** Nodes of the old tree that were read, and so are replaced by those made. */
  private readonly replaced: { id: string; lastKey: Buffer }[] = [];
  private readonly replacedIds = new Set<string>();
  private readonly cursor: LevelCursor | undefined;
  private readonly chunker = new Chunker((chunk) => this.write(chunk));
  private readonly writes = new Set<Promise<unknown>>();
  private node: TreeNode | undefined;
  /** Of the next old record of `node`. */
  private index = 0;

  constructor(
    private readonly store: NodeStore,
    oldRoot: TreeNode | undefined,
    readonly level: number,
    private readonly same: (old: Buffer, edited: Buffer) => boolean,
  ) {
    this.cursor = oldRoot && new LevelCursor(store, oldRoot, level);
  }

  get isUntouched(): boolean {
    return this.replaced.length === 0 && this.made.length === 0;
  }

  async run(edits: Iterable<Edit> | AsyncIterable<Edit>): Promise<void> {
    for await (const edit of edits) {
      await this.copyUntil(edit.key);
      this.applyEdit(edit);
      if (this.writes.size >= WRITES_IN_FLIGHT_MAX) await Promise.race(this.writes);
    }
    await this.copyUntilAligned();
    await Promise.all(this.writes);
  }

  /** Removes what was replaced and puts what was made; where both have a last key, the put stands. */
  *editsAbove(): Generator<Edit> {
    let at = 0;
    for (const { lastKey, ...child } of this.made) {
      for (; at < this.replaced.length; at += 1) {
        const order = this.replaced[at]!.lastKey.compare(lastKey);
        if (order > 0) break;
        if (order < 0) yield { key: this.replaced[at]!.lastKey, value: undefined };
      }
      yield { key: lastKey, value: encodeChild(child) };
    }
    for (; at < this.replaced.length; at += 1) yield { key: this.replaced[at]!.lastKey, value: undefined };
  }

  private applyEdit({ key, value }: Edit): void {
    const { node, index } = this;
    const isThere = node !== undefined && index < node.length && node.compareKey(index, key) === 0;
    if (isThere) this.index += 1;
    if (value === undefined) {
      if (isThere) this.counts.removed += 1;
    } else if (isThere && this.same(node.value(index), value)) {
      this.chunker.addRun(node, index, index + 1);
    } else {
      this.counts[isThere ? 'changed' : 'added'] += 1;
      this.chunker.add({ key, value, boundary: boundaryHash(key, this.level) });
    }
  }

  /** Copies old records below the key; where new and old nodes begin alike, leaps over those that hold nothing of it. */
  private async copyUntil(key: Buffer): Promise<void> {
    for (;;) {
      if (this.node) {
        const end = this.node.search(key);
        this.chunker.addRun(this.node, this.index, end);
        this.index = end;
        if (this.index < this.node.length) return;
      }
      const next = this.chunker.isEmpty ? await this.cursor?.leapTo(key) : await this.cursor?.next();
      if (!next) return;
      this.take(next);
    }
  }

  /** Copies on until a new node ends where an old one does: everything after that stays as it is. */
  private async copyUntilAligned(): Promise<void> {
    for (;;) {
      if (this.node) {
        this.chunker.addRun(this.node, this.index, this.node.length);
        this.index = this.node.length;
      }
      if (this.chunker.isEmpty) return;
      const next = await this.cursor?.next();
      if (!next) break;
      this.take(next);
    }
    this.chunker.finish();
  }

  private take(node: TreeNode): void {
    this.node = node;
    this.index = 0;
    this.replaced.push({ id: node.id, lastKey: node.key(node.length - 1) });
    this.replacedIds.add(node.id);
  }

  private write(chunk: Chunk): void {
    const node = TreeNode.of(encodeNode(this.level, chunk.pieces, chunk));
    this.made.push({ id: node.id, lastKey: node.key(node.length - 1), count: node.count });
    if (this.replacedIds.has(node.id)) return;
    // A failure stays in the set, where whoever waits for the writes meets it.
    const write = this.store.write(node).then(() => void this.writes.delete(write));
    write.catch(() => {});
    this.writes.add(write);
  }
}
