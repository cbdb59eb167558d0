import { Injectable } from '@nestjs/common';
import type { CommitRecord } from '@mledger/contracts';
import { sameEntry } from '../entry/entry';
import { diffTrees } from '../object-tree/diff-trees';
import { EMPTY_TREE, type NodeStore } from '../object-tree/node-store';
import { StoredNodes } from '../object-tree/stored-nodes';
import { getEntry } from '../object-tree/tree-cursor';
import { Refs } from '../refs/refs';
import type { Repository } from '../repository/repositories';
import { history } from './commit-graph';
import { Commits } from './commits';

export interface LogQuery {
  /** A commit's id; the page begins after it. */
  readonly after: string;
  readonly limit: number;
  readonly firstParent: boolean;
  /** Only commits that changed one of these paths, or something under one of these prefixes; all when both are empty. */
  readonly paths: readonly string[];
  readonly prefixes: readonly string[];
  /** Unix seconds; older commits are left out. */
  readonly sinceSeconds?: number;
  /** The last commit to be shown. */
  readonly stopAt?: string;
}

/** The history of a ref. */
@Injectable()
export class CommitLog {
  constructor(
    private readonly refs: Refs,
    private readonly commits: Commits,
    private readonly nodes: StoredNodes,
  ) {}

  async page(
    repository: Repository,
    ref: string,
    query: LogQuery,
  ): Promise<{ items: CommitRecord[]; hasMore: boolean }> {
    const start = await this.refs.commitOf(repository, ref);
    const stop = query.stopAt === undefined ? undefined : await this.refs.commitOf(repository, query.stopAt);
    const nodes = this.nodes.of(repository);
    const read = (id: string) => this.commits.get(repository, id);
    const items: CommitRecord[] = [];
    let isBefore = query.after !== '';
    for await (const commit of history(read, start, query)) {
      if (isBefore) {
        isBefore = commit.id !== query.after;
      } else if (await this.isWanted(repository, nodes, commit, query)) {
        if (items.length === query.limit) return { items, hasMore: true };
        items.push(commit);
      }
      if (commit.id === stop?.id) break;
    }
    return { items, hasMore: false };
  }

  private async isWanted(
    repository: Repository,
    nodes: NodeStore,
    commit: CommitRecord,
    { paths, prefixes, sinceSeconds }: LogQuery,
  ): Promise<boolean> {
    if (sinceSeconds !== undefined && commit.createdAtSeconds < sinceSeconds) return false;
    if (paths.length + prefixes.length === 0) return true;
    const [parentId] = commit.parents;
    const parent = parentId === undefined ? undefined : await this.commits.get(repository, parentId);
    const trees = { left: parent?.treeId ?? EMPTY_TREE, right: commit.treeId };
    for (const path of paths) if (await isPathChanged(nodes, trees, Buffer.from(path))) return true;
    for (const prefix of prefixes) {
      const differences = diffTrees(nodes, trees, { same: sameEntry, prefix: Buffer.from(prefix) });
      if (!(await differences.next()).done) return true;
    }
    return false;
  }
}

async function isPathChanged(nodes: NodeStore, trees: { left: string; right: string }, path: Buffer): Promise<boolean> {
  if (trees.left === trees.right) return false;
  const left = await getEntry(nodes, trees.left, path);
  const right = await getEntry(nodes, trees.right, path);
  return left && right ? !sameEntry(left, right) : left !== right;
}
