import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { firstKeyPast } from '../object-tree/list-entries';
import { branchNotFound } from '../repository/refusals';
import type { Repository } from '../repository/repositories';
import * as sql from './staging.sql';
import { StagedCursor, type StagedRow } from './staged-cursor';

/** A branch of a repository, by name. */
export interface BranchKey {
  readonly repository: Repository;
  readonly branch: string;
}

export interface StagedChange {
  readonly path: Buffer;
  /** Undefined removes the path. */
  readonly entry: Buffer | undefined;
}

/** What a branch holds under a path, of one moment: a staged entry or removal, else whatever the tree has. */
export interface EntryAtBranch {
  readonly path: Buffer;
  readonly commitId: string;
  readonly treeId: string;
  readonly isStaged: boolean;
  readonly entry: Buffer | null;
}

/** A branch and its staged rows as they stood at one moment. Good only within the `read` that gave it. */
export interface BranchMoment {
  readonly commitId: string;
  readonly treeId: string;
  readonly incarnation: number;
  /** Shows which rows were there: {@link Staging.clear} removes these and no others. */
  readonly snapshot: string;
  staged(): StagedCursor;
}

/** Changes that no commit holds yet: working state, a row a path. */
@Injectable()
export class Staging {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws CommandRefused `not-found` when there is no such branch */
  async entryAt(key: BranchKey, path: Buffer): Promise<EntryAtBranch> {
    const [entry] = await this.entriesAt(key, [path]);
    return entry!;
  }

  /** One for each path, in no order. @throws CommandRefused `not-found` when there is no such branch */
  async entriesAt(key: BranchKey, paths: readonly Buffer[]): Promise<EntryAtBranch[]> {
    const rows = await this.dataSource.query<EntryAtBranch[]>(sql.ENTRIES_AT_BRANCH, [...values(key), paths]);
    if (rows.length === 0 && paths.length > 0) throw branchNotFound();
    return rows;
  }

  /** @param changes each path once @throws CommandRefused `not-found` when there is no such branch */
  async stage(key: BranchKey, changes: readonly StagedChange[]): Promise<void> {
    if (changes.length === 0) return;
    const paths = changes.map(({ path }) => path);
    const entries = changes.map(({ entry }) => entry ?? null);
    const staged = await this.dataSource.query<unknown[]>(sql.STAGE, [...values(key), paths, entries]);
    if (staged.length === 0) throw branchNotFound();
  }

  /** Whether it was staged: false when something is staged there already, or the branch's head is not `commitId` any more. */
  async stageIfAbsent(key: BranchKey, change: { path: Buffer; entry: Buffer; commitId: string }): Promise<boolean> {
    const { path, entry, commitId } = change;
    const staged = await this.dataSource.query<unknown[]>(sql.STAGE_IF_ABSENT, [...values(key), path, entry, commitId]);
    return staged.length > 0;
  }

  /** Forgets all staged changes, or those of paths under a prefix. */
  async drop(key: BranchKey, { prefix = Buffer.alloc(0) }: { prefix?: Buffer } = {}): Promise<void> {
    await this.dataSource.query(sql.DROP_STAGED_PREFIX, [...values(key), prefix, firstKeyPast(prefix) ?? null]);
  }

  async dropPath(key: BranchKey, path: Buffer): Promise<void> {
    await this.dataSource.query(sql.DROP_STAGED_PATH, [...values(key), path]);
  }

  /**
   * Lets `work` look at a branch and everything staged on it as they stand at one moment. It holds a connection, so `work`
   * must not wait for another one. @throws CommandRefused `not-found` when there is no such branch
   */
  read<T>(key: BranchKey, work: (moment: BranchMoment) => Promise<T>): Promise<T> {
    return this.dataSource.transaction('REPEATABLE READ', async (manager) => {
      const [branch] = await manager.query<Omit<BranchMoment, 'staged'>[]>(sql.BRANCH_AND_SNAPSHOT, values(key));
      if (!branch) throw branchNotFound();
      const readRows = (from: Buffer, limit: number) =>
        manager.query<StagedRow[]>(sql.STAGED_PAGE, [...values(key), branch.incarnation, from, limit]);
      return work({ ...branch, staged: () => new StagedCursor(readRows) });
    });
  }

  /** Removes the rows that a moment showed; what was staged after it stays. */
  async clear(manager: EntityManager, key: BranchKey, moment: Pick<BranchMoment, 'incarnation' | 'snapshot'>) {
    await manager.query(sql.CLEAR_STAGED, [...values(key), moment.incarnation, moment.snapshot]);
  }

  async dropOfBranch(manager: EntityManager, key: BranchKey): Promise<void> {
    await manager.query(sql.DROP_STAGED, values(key));
  }

  async dropOfRepository(manager: EntityManager, { tenant, repositoryId }: Repository): Promise<void> {
    await manager.query(sql.DROP_STAGED_OF_REPOSITORY, [tenant, repositoryId]);
  }
}

function values({ repository, branch }: BranchKey): string[] {
  return [repository.tenant, repository.repositoryId, branch];
}
