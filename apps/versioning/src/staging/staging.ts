import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { firstKeyPast } from '../object-tree/list-entries';
import { branchNotFound } from '../repository/refusals';
import type { Repository } from '../repository/repositories';
import * as sql from './staging.sql';
import { rowsOf } from '../sql/statement';
import { STAGED_PAGE_ROWS, StagedCursor, type StagedRow } from './staged-cursor';

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

/** Which staged rows a reader will look at: from a path on, up to another; all by default. */
export interface PathRange {
  readonly from: Buffer;
  readonly until?: Buffer | undefined;
}

/** No entry has so few bytes. */
const NOTHING_STAGED = Buffer.alloc(0);

const ALL_PATHS: PathRange = { from: Buffer.alloc(0) };

type BranchRow = Omit<BranchMoment, 'staged'> & { readonly path: Buffer | null; readonly entry: Buffer | null };

/** Changes that no commit holds yet: working state, a row a path. */
@Injectable()
export class Staging {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws CommandRefused `not-found` when there is no such branch */
  async entryAt(key: BranchKey, path: Buffer): Promise<EntryAtBranch> {
    const entry = await this.findEntryAt(key, path);
    if (!entry) throw branchNotFound();
    return entry;
  }

  /** Undefined when there is no such branch. */
  async findEntryAt(key: BranchKey, path: Buffer): Promise<EntryAtBranch | undefined> {
    const [entry] = await rowsOf<EntryAtBranch>(this.dataSource, sql.ENTRIES_AT_BRANCH, [...values(key), [path]]);
    return entry;
  }

  /** One for each path, in no order. @throws CommandRefused `not-found` when there is no such branch */
  async entriesAt(key: BranchKey, paths: readonly Buffer[]): Promise<EntryAtBranch[]> {
    const rows = await rowsOf<EntryAtBranch>(this.dataSource, sql.ENTRIES_AT_BRANCH, [...values(key), paths]);
    if (rows.length === 0 && paths.length > 0) throw branchNotFound();
    return rows;
  }

  /** @param changes each path once @throws CommandRefused `not-found` when there is no such branch */
  async stage(key: BranchKey, changes: readonly StagedChange[]): Promise<void> {
    if (changes.length === 0) return;
    const paths = changes.map(({ path }) => path);
    const entries = changes.map(({ entry }) => entry ?? null);
    const staged = await rowsOf(this.dataSource, sql.STAGE, [...values(key), paths, entries]);
    if (staged.length === 0) throw branchNotFound();
  }

  /** Whether it was staged: false when the branch's head, or what is staged at the path, is not what was found any more. */
  async stageOver(key: BranchKey, found: EntryAtBranch, entry: Buffer): Promise<boolean> {
    const before = found.isStaged ? found.entry : NOTHING_STAGED;
    const staged = await rowsOf(this.dataSource, sql.STAGE_OVER, [
      ...values(key),
      found.path,
      entry,
      found.commitId,
      before,
    ]);
    return staged.length > 0;
  }

  /** Forgets all staged changes, or those of paths under a prefix. */
  async drop(key: BranchKey, { prefix = Buffer.alloc(0) }: { prefix?: Buffer } = {}): Promise<void> {
    await rowsOf(this.dataSource, sql.DROP_STAGED_PREFIX, [...values(key), prefix, firstKeyPast(prefix) ?? null]);
  }

  async dropPath(key: BranchKey, path: Buffer): Promise<void> {
    await rowsOf(this.dataSource, sql.DROP_STAGED_PATH, [...values(key), path]);
  }

  /**
   * Lets `work` look at a branch and what is staged on it as they stand at one moment, however long it takes.
   * Where many rows are staged it holds a connection meanwhile, so it must not wait for another one.
   * @throws CommandRefused `not-found` when there is no such branch
   */
  async read<T>(key: BranchKey, work: (moment: BranchMoment) => Promise<T>, range: PathRange = ALL_PATHS): Promise<T> {
    // One row less than a page, so that the cursor knows that nothing comes after them.
    const limit = STAGED_PAGE_ROWS - 1;
    const rows = await rowsOf<BranchRow>(this.dataSource, sql.BRANCH_AND_STAGED, branchValues(key, range, limit));
    const [branch] = rows;
    if (!branch) throw branchNotFound();
    if (rows.length === limit) return this.readInTransaction(key, work);
    const staged = branch.path === null ? [] : (rows as (BranchRow & { path: Buffer })[]);
    return work({ ...branch, staged: () => new StagedCursor(async (from) => staged.filter(isFrom(from))) });
  }

  /** Removes the rows that a moment showed; what was staged after it stays. */
  async clear(manager: EntityManager, key: BranchKey, moment: Pick<BranchMoment, 'incarnation' | 'snapshot'>) {
    await rowsOf(manager, sql.CLEAR_STAGED, [...values(key), moment.incarnation, moment.snapshot]);
  }

  async dropOfBranch(manager: EntityManager, key: BranchKey): Promise<void> {
    await rowsOf(manager, sql.DROP_STAGED, values(key));
  }

  async dropOfRepository(manager: EntityManager, { tenant, repositoryId }: Repository): Promise<void> {
    await rowsOf(manager, sql.DROP_STAGED_OF_REPOSITORY, [tenant, repositoryId]);
  }

  private readInTransaction<T>(key: BranchKey, work: (moment: BranchMoment) => Promise<T>): Promise<T> {
    return this.dataSource.transaction('REPEATABLE READ', async (manager) => {
      const [branch] = await rowsOf<BranchRow>(manager, sql.BRANCH_AND_STAGED, branchValues(key, ALL_PATHS, 1));
      if (!branch) throw branchNotFound();
      const readRows = (from: Buffer, limit: number) =>
        rowsOf<StagedRow>(manager, sql.STAGED_PAGE, [...values(key), branch.incarnation, from, limit]);
      return work({ ...branch, staged: () => new StagedCursor(readRows) });
    });
  }
}

function values({ repository, branch }: BranchKey): string[] {
  return [repository.tenant, repository.repositoryId, branch];
}

function branchValues(key: BranchKey, { from, until }: PathRange, limit: number): unknown[] {
  return [...values(key), from, until ?? null, limit];
}

function isFrom(from: Buffer): (row: StagedRow) => boolean {
  return ({ path }) => path.compare(from) >= 0;
}
