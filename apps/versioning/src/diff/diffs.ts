import { Injectable } from '@nestjs/common';
import type { CommitRecord } from '@mledger/contracts';
import { mergeBase } from '../commit/commit-graph';
import { Commits } from '../commit/commits';
import { sameEntry } from '../entry/entry';
import { diffTrees } from '../object-tree/diff-trees';
import { commonPrefixOf, firstKeyPast, startAfter } from '../object-tree/list-entries';
import { incomingChanges } from '../object-tree/merge-trees';
import { EMPTY_TREE } from '../object-tree/node-store';
import { StoredNodes } from '../object-tree/stored-nodes';
import { Refs } from '../refs/refs';
import type { Repository } from '../repository/repositories';
import { stagedDifferences } from '../staging/staged-differences';
import { Staging, type BranchKey } from '../staging/staging';

export type DiffItem =
  | {
      readonly type: 'added' | 'removed' | 'changed' | 'conflict';
      readonly path: string;
      /** The new value; undefined where it was removed. */
      readonly entry: Buffer | undefined;
    }
  /** Something below this prefix differs. */
  | { readonly type: 'prefix_changed'; readonly path: string };

export interface DiffQuery {
  readonly prefix: string;
  /** Exclusive. */
  readonly after: string;
  /** Differences of keys that have it after the prefix are told as one. */
  readonly delimiter: string;
  readonly limit: number;
}

interface Changed {
  readonly key: Buffer;
  readonly left: Buffer | undefined;
  readonly right: Buffer | undefined;
  readonly isConflict?: boolean;
}

interface Bounds {
  readonly from: Buffer;
  readonly prefix: Buffer;
}

/** Compares commits with one another, and a branch with what is staged on it. */
@Injectable()
export class Diffs {
  constructor(
    private readonly refs: Refs,
    private readonly commits: Commits,
    private readonly staging: Staging,
    private readonly nodes: StoredNodes,
  ) {}

  /** What is staged on a branch, against its head. */
  async ofBranch(key: BranchKey, query: DiffQuery) {
    const nodes = this.nodes.of(key.repository);
    return this.staging.read(
      key,
      (moment) => page((bounds) => stagedDifferences(nodes, moment, bounds), query),
      rangeOf(query),
    );
  }

  /** Right against left, plainly; the right side may be `branch$`, with what is staged. */
  async twoDot(repository: Repository, refs: { left: string; right: string }, query: DiffQuery) {
    const nodes = this.nodes.of(repository);
    const left = await this.refs.commitOf(repository, refs.left);
    const right = await this.refs.resolve(repository, refs.right);
    if (right.staged !== 'asked' || right.branch === undefined) {
      const roots = { left: left.treeId, right: right.commit.treeId };
      return page((bounds) => diffTrees(nodes, roots, { ...bounds, same: sameEntry }), query);
    }
    return this.staging.read(
      { repository, branch: right.branch },
      (moment) => {
        const roots = { left: left.treeId, right: moment.treeId };
        const committed = (bounds: Bounds) => diffTrees(nodes, roots, { ...bounds, same: sameEntry });
        return page((bounds) => laidOver(committed(bounds), stagedDifferences(nodes, moment, bounds)), query);
      },
      rangeOf(query),
    );
  }

  /** What right changed since it parted from left; a conflict where left changed the same to something else. */
  async threeDot(repository: Repository, refs: { left: string; right: string }, query: DiffQuery) {
    const nodes = this.nodes.of(repository);
    const left = await this.refs.commitOf(repository, refs.left);
    const right = await this.refs.commitOf(repository, refs.right);
    const base = await this.baseOf(repository, left, right);
    const roots = { base: base?.treeId ?? EMPTY_TREE, ours: left.treeId, theirs: right.treeId };
    const incoming = (bounds: Bounds) => incomingChanges(nodes, roots, { ...bounds, same: sameEntry });
    return page(async function* (bounds) {
      for await (const { key, base: before, theirs, isConflict } of incoming(bounds)) {
        yield { key, left: before, right: theirs, isConflict };
      }
    }, query);
  }

  baseOf(repository: Repository, left: CommitRecord, right: CommitRecord): Promise<CommitRecord | undefined> {
    return mergeBase((id) => this.commits.get(repository, id), left, right);
  }
}

function rangeOf({ prefix, after }: DiffQuery) {
  const from = Buffer.from(after).compare(Buffer.from(prefix)) > 0 ? after : prefix;
  return { from: Buffer.from(from), until: firstKeyPast(Buffer.from(prefix)) };
}

/** Differences between a tree and another with staged changes over it: where both speak of a key, left is of the first. */
async function* laidOver(committed: AsyncGenerator<Changed>, staged: AsyncGenerator<Changed>): AsyncGenerator<Changed> {
  let below = await committed.next();
  let above = await staged.next();
  while (!below.done || !above.done) {
    const order = below.done ? 1 : above.done ? -1 : below.value.key.compare(above.value.key);
    if (order < 0) {
      yield below.value as Changed;
    } else {
      const { key, left: committedValue, right } = above.value as Changed;
      const left = order === 0 ? (below.value as Changed).left : committedValue;
      const isSame = left && right ? sameEntry(left, right) : left === right;
      if (!isSame) yield { key, left, right };
    }
    if (order <= 0) below = await committed.next();
    if (order >= 0) above = await staged.next();
  }
}

/** A page of differences; leaps over what a changed prefix covers by beginning again past it. */
async function page(
  open: (bounds: Bounds) => AsyncGenerator<Changed>,
  { prefix, after, delimiter, limit }: DiffQuery,
): Promise<{ items: DiffItem[]; hasMore: boolean }> {
  const gathering = {
    prefix: Buffer.from(prefix),
    ...(delimiter !== '' && { delimiter: Buffer.from(delimiter) }),
  };
  const items: DiffItem[] = [];
  let from = startAfter(Buffer.from(after), gathering);
  while (from) {
    const begun: Bounds = { from, prefix: gathering.prefix };
    from = undefined;
    for await (const changed of open(begun)) {
      if (items.length === limit) return { items, hasMore: true };
      const common = commonPrefixOf(changed.key, gathering);
      if (!common) {
        items.push({ type: typeOf(changed), path: changed.key.toString(), entry: changed.right });
        continue;
      }
      items.push({ type: 'prefix_changed', path: common.toString() });
      from = firstKeyPast(common);
      break;
    }
  }
  return { items, hasMore: false };
}

function typeOf({ left, right, isConflict }: Changed): 'added' | 'removed' | 'changed' | 'conflict' {
  if (isConflict) return 'conflict';
  if (!left) return 'added';
  return right ? 'changed' : 'removed';
}
