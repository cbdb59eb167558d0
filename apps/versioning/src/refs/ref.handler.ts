import { Injectable } from '@nestjs/common';
import { EventStore, stream, type CommandContext } from '@mledger/event-log';
import { branchDecider } from '../branch/branch';
import { branchStream } from '../branch/branch-advance';
import { StoredNodes } from '../object-tree/stored-nodes';
import { assertBranchName, assertTagName } from '../repository/names';
import { branchNotFound, dirtyBranch, refused } from '../repository/refusals';
import { assertNotProtected, assertNotReadOnly, type Repository } from '../repository/repositories';
import { isDirty } from '../staging/staged-differences';
import { Staging, type BranchKey } from '../staging/staging';
import { tagDecider } from '../tag/tag';
import { Refs } from './refs';

interface Force {
  /** Also in a read-only repository. */
  readonly force: boolean;
}

/** Makes, moves and deletes branches and tags. A name is a branch or a tag, never both: each is made while the other is held absent. */
@Injectable()
export class RefHandler {
  constructor(
    private readonly store: EventStore,
    private readonly refs: Refs,
    private readonly staging: Staging,
    private readonly nodes: StoredNodes,
  ) {}

  /** @returns the id of the commit that the branch begins at */
  async createBranch(
    key: BranchKey,
    { source, hidden, force }: { source: string; hidden: boolean } & Force,
    context: CommandContext,
  ): Promise<string> {
    const { repository, branch } = key;
    assertNotReadOnly(repository, { force });
    assertBranchName(branch);
    const commit = await this.refs.commitOf(repository, source);
    if (await this.refs.resolvesToCommit(repository, branch)) throw isCommitId(branch);
    const command = {
      type: 'CreateBranch',
      ...identityOf(key),
      commitId: commit.id,
      sourceRef: source,
      hidden,
    } as const;
    await this.store.handleAll(
      [
        { decider: branchDecider, stream: branchStream(key), command },
        { decider: tagDecider, stream: tagStream(repository, branch), command: { type: 'AssertAbsent' } as const },
      ],
      context,
    );
    return commit.id;
  }

  async deleteBranch(key: BranchKey, { force }: Force, context: CommandContext): Promise<void> {
    assertNotReadOnly(key.repository, { force });
    if (key.branch === key.repository.defaultBranch) {
      throw refused('forbidden', 'DEFAULT_BRANCH', 'cannot delete repository default branch');
    }
    assertBranchName(key.branch);
    const command = { type: 'DeleteBranch', ...identityOf(key) } as const;
    const within = (manager: Parameters<Staging['dropOfBranch']>[0]) => this.staging.dropOfBranch(manager, key);
    await this.store.handle({ decider: branchDecider, stream: branchStream(key), command }, context, { within });
  }

  /** Moves a branch's head, where nothing is staged that would be lost under it. */
  async resetHard(key: BranchKey, { ref, force }: { ref: string } & Force, context: CommandContext): Promise<void> {
    const { repository } = key;
    assertNotReadOnly(repository, { force });
    assertNotProtected(repository, key.branch, 'write');
    const to = await this.refs.commitOf(repository, ref);
    const nodes = this.nodes.of(repository);
    const from = await this.staging.read(key, async (moment) => {
      if (await isDirty(nodes, moment)) throw dirtyBranch();
      return moment.commitId;
    });
    const command = { type: 'Reset', ...identityOf(key), from, to: to.id, ref } as const;
    await this.store.handle({ decider: branchDecider, stream: branchStream(key), command }, context);
  }

  async createTag(
    repository: Repository,
    { tag, ref, force }: { tag: string; ref: string } & Force,
    context: CommandContext,
  ): Promise<string> {
    assertNotReadOnly(repository, { force });
    assertTagName(tag);
    const commit = await this.refs.commitOf(repository, ref);
    if (await this.refs.resolvesToCommit(repository, tag)) throw isCommitId(tag);
    const identity = { repositoryId: repository.repositoryId, repository: repository.name, tag };
    await this.store.handleAll(
      [
        {
          decider: tagDecider,
          stream: tagStream(repository, tag),
          command: { type: 'CreateTag', ...identity, commitId: commit.id, ref } as const,
        },
        {
          decider: branchDecider,
          stream: branchStream({ repository, branch: tag }),
          command: { type: 'AssertAbsent' } as const,
        },
      ],
      context,
    );
    return commit.id;
  }

  async deleteTag(repository: Repository, tag: string, { force }: Force, context: CommandContext): Promise<void> {
    assertNotReadOnly(repository, { force });
    const command = {
      type: 'DeleteTag',
      repositoryId: repository.repositoryId,
      repository: repository.name,
      tag,
    } as const;
    await this.store.handle({ decider: tagDecider, stream: tagStream(repository, tag), command }, context);
  }

  /** Forgets staged changes of one path, of all under a prefix, or of the whole branch. */
  async resetStaged(
    key: BranchKey,
    what: { type: 'object' | 'common_prefix' | 'reset'; path?: string } & Force,
  ): Promise<void> {
    assertNotReadOnly(key.repository, what);
    assertNotProtected(key.repository, key.branch, 'write');
    if (!(await this.refs.findBranch(key.repository, key.branch))) throw branchNotFound();
    if (what.type === 'reset') return this.staging.drop(key);
    if (what.path === undefined) throw refused('invalid', 'INVALID_RESET', `path: is needed to reset ${what.type}`);
    const from = Buffer.from(what.path);
    if (what.type === 'object') return this.staging.dropPath(key, from);
    return this.staging.drop(key, { prefix: from });
  }
}

export function identityOf({ repository, branch }: BranchKey) {
  return { repositoryId: repository.repositoryId, repository: repository.name, branch };
}

function tagStream({ tenant, repositoryId }: Repository, tag: string): string {
  return stream(tenant, 'tag', `${repositoryId}/${tag}`);
}

function isCommitId(name: string) {
  return refused('exists', 'NOT_UNIQUE', `${name} is the id of a commit: not unique`);
}
