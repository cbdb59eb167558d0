import { Injectable } from '@nestjs/common';
import { EventStore, stream, type CommandContext } from '@mledger/event-log';
import { Clock, Ids } from '@mledger/service-kit';
import { branchDecider } from '../branch/branch';
import { withCommitId } from '../commit/commit-id';
import { EMPTY_TREE } from '../object-tree/node-store';
import { Staging } from '../staging/staging';
import { assertBranchName, assertRepositoryName } from './names';
import { refused } from './refusals';
import { Repositories, type Repository } from './repositories';
import { repositoryDecider, repositoryNameDecider, type RepositoryCommand } from './repository';

export interface CreateRepository {
  readonly name: string;
  readonly storageNamespace: string;
  readonly defaultBranch: string;
  readonly readOnly: boolean;
}

type Change<C = RepositoryCommand> = C extends RepositoryCommand ? Omit<C, 'repositoryId' | 'repository'> : never;

/** Makes, changes and deletes repositories. */
@Injectable()
export class RepositoryHandler {
  constructor(
    private readonly store: EventStore,
    private readonly repositories: Repositories,
    private readonly staging: Staging,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** A repository with its default branch on a first, empty commit: all of it or nothing. */
  async create(create: CreateRepository, context: CommandContext): Promise<Repository> {
    const { name, storageNamespace, defaultBranch, readOnly } = create;
    const { tenant } = context;
    assertRepositoryName(name);
    assertBranchName(defaultBranch);
    // First, because a client that repeats itself is told that the name is taken, and not the namespace.
    if (await this.repositories.find(tenant, name)) throw refused('exists', 'NOT_UNIQUE', NAME_TAKEN);
    const holder = await this.repositories.holderOfNamespace(tenant, storageNamespace);
    // Another request may have made it since the name was looked up.
    if (holder === name) throw refused('exists', 'NOT_UNIQUE', NAME_TAKEN);
    if (holder !== undefined) {
      throw refused('invalid', 'NAMESPACE_IN_USE', `the storage namespace is in use by repository ${holder}`);
    }
    const repositoryId = this.ids.uuidv7();
    const repository = { repositoryId, repository: name };
    const firstCommit = withCommitId({
      parents: [],
      committer: '',
      message: 'Repository created',
      createdAtSeconds: Math.floor(this.clock.nowMs() / 1000),
      treeId: EMPTY_TREE,
      metadata: {},
      generation: 1,
    });
    await this.store.handleAll(
      [
        nameTarget(tenant, 'ClaimName', repository),
        {
          decider: repositoryDecider,
          stream: stream(tenant, 'repository', repositoryId),
          command: { type: 'CreateRepository', ...repository, storageNamespace, defaultBranch, readOnly } as const,
        },
        {
          decider: branchDecider,
          stream: stream(tenant, 'branch', `${repositoryId}/${defaultBranch}`),
          command: { type: 'CreateDefaultBranch', ...repository, branch: defaultBranch, firstCommit } as const,
        },
      ],
      context,
    );
    return this.repositories.get(tenant, name);
  }

  async change(repository: Repository, change: Change, context: CommandContext): Promise<void> {
    const { repositoryId, name, tenant } = repository;
    const command = { ...change, repositoryId, repository: name };
    const target = { decider: repositoryDecider, stream: stream(tenant, 'repository', repositoryId), command };
    await this.store.handle(target, context);
  }

  /** Frees the name; what is staged is dropped with it, what was committed stays in the log. */
  async delete(repository: Repository, context: CommandContext): Promise<void> {
    const { repositoryId, name, tenant } = repository;
    const identity = { repositoryId, repository: name };
    await this.store.handleAll(
      [
        nameTarget(tenant, 'ReleaseName', identity),
        {
          decider: repositoryDecider,
          stream: stream(tenant, 'repository', repositoryId),
          command: { type: 'DeleteRepository', ...identity } as const,
        },
      ],
      context,
      { within: (manager) => this.staging.dropOfRepository(manager, repository) },
    );
  }
}

const NAME_TAKEN = 'error creating repository: not unique';

function nameTarget(
  tenant: string,
  type: 'ClaimName' | 'ReleaseName',
  { repositoryId, repository: name }: { repositoryId: string; repository: string },
) {
  return {
    decider: repositoryNameDecider,
    stream: stream(tenant, 'repository-name', name),
    command: { type, name, repositoryId },
  };
}
