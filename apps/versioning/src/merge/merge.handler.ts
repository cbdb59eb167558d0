import { Injectable } from '@nestjs/common';
import type { CommitRecord } from '@mledger/contracts';
import type { CommandContext } from '@mledger/event-log';
import { Clock } from '@mledger/service-kit';
import { BranchAdvance, type PlannedAdvance } from '../branch/branch-advance';
import { mergeBase } from '../commit/commit-graph';
import { withCommitId, type CommitContent } from '../commit/commit-id';
import { Commits } from '../commit/commits';
import { sameEntry } from '../entry/entry';
import { applyEdits } from '../object-tree/apply-edits';
import { MergeConflict, mergeEdits, type MergeRoots, type MergeStrategy } from '../object-tree/merge-trees';
import { EMPTY_TREE } from '../object-tree/node-store';
import { StoredNodes } from '../object-tree/stored-nodes';
import { identityOf } from '../refs/ref.handler';
import { Refs } from '../refs/refs';
import { dirtyBranch, noChanges, refused } from '../repository/refusals';
import { assertNotReadOnly } from '../repository/repositories';
import { isDirty } from '../staging/staged-differences';
import { Staging, type BranchKey } from '../staging/staging';

interface Override {
  readonly message?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly allowEmpty: boolean;
  readonly force: boolean;
}

export interface MergeRequest extends Override {
  readonly source: string;
  readonly strategy: MergeStrategy;
  /** The new commit forgets that it came from the source. */
  readonly squash: boolean;
}

export interface RevertRequest extends Override {
  readonly ref: string;
  /** Which parent of a merge to go back to, from 1; 0 for a commit that has one only. */
  readonly parentNumber: number;
}

export type CherryPickRequest = RevertRequest;

/** The code of a merge that stopped at a conflict; lakeFS answers it with a body of its own. */
export const MERGE_CONFLICT = 'MERGE_CONFLICT';

/** Three-way merges: of a ref into a branch, and of one commit's changes, forwards or backwards. */
@Injectable()
export class MergeHandler {
  constructor(
    private readonly branches: BranchAdvance,
    private readonly refs: Refs,
    private readonly commits: Commits,
    private readonly staging: Staging,
    private readonly nodes: StoredNodes,
    private readonly clock: Clock,
  ) {}

  /** Always makes a new commit, also where the branch could simply be moved. Staged changes of the source have no part in it. */
  async merge(key: BranchKey, request: MergeRequest, context: CommandContext): Promise<CommitRecord> {
    const { repository, branch } = key;
    assertNotReadOnly(repository, request);
    const source = await this.refs.commitOf(repository, request.source);
    return this.branches.advance(key, context, async () => {
      const head = await this.cleanHead(key);
      const base = await mergeBase((id) => this.commits.get(repository, id), head, source);
      const baseTree = base?.treeId ?? EMPTY_TREE;
      const { strategy, squash, allowEmpty, force } = request;
      if (source.treeId === baseTree && !allowEmpty && !force) throw noChanges('merge');
      const roots = { base: baseTree, ours: head.treeId, theirs: source.treeId };
      const tree = await this.mergeTrees(key, roots, strategy);
      const commit = this.newCommit(context, {
        parents: squash ? [head.id] : [head.id, source.id],
        message: request.message || `Merge '${request.source}' into '${branch}'`,
        treeId: tree.root,
        metadata: { ...request.metadata, '.lakefs.merge.strategy': strategy },
        generation: 1 + Math.max(head.generation, squash ? 0 : source.generation),
      });
      const change = { ...identityOf(key), from: head.id, commit, changes: tree.counts };
      const origin = { sourceRef: request.source, sourceCommitId: source.id, baseCommitId: base?.id ?? head.id };
      return { event: { type: 'BranchMerged', data: { ...change, ...origin, strategy, squash } } };
    });
  }

  /** Undoes a commit: its changes backwards, merged into what the branch holds now. */
  async revert(key: BranchKey, request: RevertRequest, context: CommandContext): Promise<CommitRecord> {
    const { repository } = key;
    assertNotReadOnly(repository, request);
    const reverted = await this.refs.commitOf(repository, request.ref);
    const parent = await this.parentOf(key, reverted, request.parentNumber, 'revert');
    return this.branches.advance(key, context, async (): Promise<PlannedAdvance> => {
      const head = await this.cleanHead(key);
      const roots = { base: reverted.treeId, ours: head.treeId, theirs: parent?.treeId ?? EMPTY_TREE };
      const tree = await this.mergeTrees(key, roots, 'default');
      if (tree.root === head.treeId && !request.allowEmpty) throw noChanges('revert');
      const commit = this.newCommit(context, {
        parents: [head.id],
        message: request.message || `Revert ${request.ref}`,
        treeId: tree.root,
        metadata: { ...request.metadata },
        generation: head.generation + 1,
      });
      const change = { ...identityOf(key), from: head.id, commit, changes: tree.counts };
      const { parentNumber } = request;
      return { event: { type: 'CommitReverted', data: { ...change, revertedCommitId: reverted.id, parentNumber } } };
    });
  }

  /** Repeats a commit's changes on another branch, with its message and metadata. */
  async cherryPick(key: BranchKey, request: CherryPickRequest, context: CommandContext): Promise<CommitRecord> {
    const { repository } = key;
    assertNotReadOnly(repository, request);
    const origin = await this.refs.commitOf(repository, request.ref);
    if (origin.parents.length === 0) throw refused('invalid', 'NO_PARENT', 'cherry-pick: the commit has no parent');
    const parent = await this.parentOf(key, origin, request.parentNumber, 'cherry-pick');
    return this.branches.advance(key, context, async (): Promise<PlannedAdvance> => {
      const head = await this.cleanHead(key);
      const roots = { base: parent?.treeId ?? EMPTY_TREE, ours: head.treeId, theirs: origin.treeId };
      const tree = await this.mergeTrees(key, roots, 'default');
      if (tree.root === head.treeId && !request.allowEmpty) throw noChanges('cherry-pick');
      const picked = { 'cherry-pick-origin': origin.id, 'cherry-pick-committer': origin.committer };
      const commit = this.newCommit(context, {
        parents: [head.id],
        message: request.message || origin.message,
        treeId: tree.root,
        metadata: { ...(request.metadata ?? origin.metadata), ...picked },
        generation: head.generation + 1,
      });
      const change = { ...identityOf(key), from: head.id, commit, changes: tree.counts };
      return { event: { type: 'CommitCherryPicked', data: { ...change, originCommitId: origin.id } } };
    });
  }

  /** The head of a branch on which nothing is staged. @throws CommandRefused `uncommitted changes (dirty branch)` */
  private async cleanHead(key: BranchKey): Promise<CommitRecord> {
    const nodes = this.nodes.of(key.repository);
    const commitId = await this.staging.read(key, async (moment) => {
      if (await isDirty(nodes, moment)) throw dirtyBranch();
      return moment.commitId;
    });
    return this.commits.get(key.repository, commitId);
  }

  /** @throws CommandRefused `conflict` at the first path that both sides changed differently, unless a strategy decides it */
  private async mergeTrees(key: BranchKey, roots: MergeRoots, strategy: MergeStrategy) {
    const nodes = this.nodes.of(key.repository);
    try {
      const edits = mergeEdits(nodes, roots, { same: sameEntry, strategy });
      return await applyEdits(nodes, roots.ours, edits, { same: sameEntry });
    } catch (error) {
      if (!(error instanceof MergeConflict)) throw error;
      throw refused('conflict', MERGE_CONFLICT, 'conflict found', { path: error.key.toString() });
    }
  }

  /** Undefined for a first commit, which has none. */
  private async parentOf(
    { repository }: BranchKey,
    commit: CommitRecord,
    parentNumber: number,
    operation: 'revert' | 'cherry-pick',
  ): Promise<CommitRecord | undefined> {
    if (commit.parents.length > 1 && parentNumber === 0) {
      const kind = operation === 'revert' ? 'conflict' : 'invalid';
      throw refused(kind, 'PARENT_NUMBER', `${operation}: a merge commit needs a parent number`);
    }
    if (parentNumber > Math.max(1, commit.parents.length)) {
      throw refused('invalid', 'PARENT_NUMBER', `${operation}: the commit has no parent ${parentNumber}`);
    }
    const id = commit.parents[Math.max(0, parentNumber - 1)];
    return id === undefined ? undefined : this.commits.get(repository, id);
  }

  private newCommit(
    { actor }: CommandContext,
    content: Omit<CommitContent, 'committer' | 'createdAtSeconds'>,
  ): CommitRecord {
    return withCommitId({
      ...content,
      committer: actor,
      createdAtSeconds: Math.floor(this.clock.nowMs() / 1000),
    });
  }
}
