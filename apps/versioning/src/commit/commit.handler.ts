import { Injectable } from '@nestjs/common';
import type { CommitRecord } from '@mledger/contracts';
import type { CommandContext } from '@mledger/event-log';
import { Clock } from '@mledger/service-kit';
import { BranchAdvance, type PlannedAdvance } from '../branch/branch-advance';
import { sameEntry } from '../entry/entry';
import { applyEdits, type Edit } from '../object-tree/apply-edits';
import { StoredNodes } from '../object-tree/stored-nodes';
import { identityOf } from '../refs/ref.handler';
import { noChanges } from '../repository/refusals';
import { assertNotProtected, assertNotReadOnly } from '../repository/repositories';
import { Staging, type BranchKey, type BranchMoment } from '../staging/staging';
import { withCommitId } from './commit-id';
import { Commits } from './commits';

export interface CommitRequest {
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Unix seconds; now when absent. */
  readonly createdAtSeconds?: number;
  readonly allowEmpty: boolean;
  readonly force: boolean;
}

/** Turns what is staged on a branch into a commit. */
@Injectable()
export class CommitHandler {
  constructor(
    private readonly advance: BranchAdvance,
    private readonly staging: Staging,
    private readonly commits: Commits,
    private readonly nodes: StoredNodes,
    private readonly clock: Clock,
  ) {}

  /** What is staged while this works is not in the commit, and stays staged. @throws CommandRefused `no changes` */
  commit(key: BranchKey, request: CommitRequest, context: CommandContext): Promise<CommitRecord> {
    assertNotReadOnly(key.repository, request);
    assertNotProtected(key.repository, key.branch, 'commit');
    return this.advance.advance(key, context, () => this.plan(key, request, context));
  }

  private async plan(key: BranchKey, request: CommitRequest, context: CommandContext): Promise<PlannedAdvance> {
    const nodes = this.nodes.of(key.repository);
    const { moment, tree } = await this.staging.read(key, async (seen) => ({
      moment: seen,
      tree: await applyEdits(nodes, seen.treeId, stagedEdits(seen), { same: sameEntry }),
    }));
    if (tree.root === moment.treeId && !request.allowEmpty) throw noChanges('commit');
    const head = await this.commits.get(key.repository, moment.commitId);
    const commit = withCommitId({
      parents: [head.id],
      committer: context.actor,
      message: request.message,
      createdAtSeconds: request.createdAtSeconds ?? Math.floor(this.clock.nowMs() / 1000),
      treeId: tree.root,
      metadata: { ...request.metadata },
      generation: head.generation + 1,
    });
    const data = { ...identityOf(key), from: head.id, commit, changes: tree.counts };
    return {
      event: { type: 'CommitCreated', data },
      within: (manager) => this.staging.clear(manager, key, moment),
    };
  }
}

async function* stagedEdits(moment: BranchMoment): AsyncGenerator<Edit> {
  const staged = moment.staged();
  for (await staged.seek(Buffer.alloc(0)); staged.current; await staged.advance()) {
    yield { key: staged.current.path, value: staged.current.entry ?? undefined };
  }
}
