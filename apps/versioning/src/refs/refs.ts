import { Injectable } from '@nestjs/common';
import type { CommitRecord } from '@mledger/contracts';
import { DataSource } from 'typeorm';
import { Commits } from '../commit/commits';
import { COMMITS_BY_PREFIX } from '../commit/commits.sql';
import { refNotFound, refused } from '../repository/refusals';
import type { NamePageQuery, Repository } from '../repository/repositories';
import { parseRef, type RefModifier } from './ref-expression';
import { rowsOf, statement, type Statement } from '../sql/statement';

export interface NamedRef {
  readonly name: string;
  readonly commitId: string;
}

/** What a ref expression leads to. */
export interface ResolvedRef {
  readonly commit: CommitRecord;
  /** The branch, where the expression is one by name, with `@` or with `$`. */
  readonly branch?: string;
  /** How staged changes of the branch were asked for: by its bare name, outright, or not at all. */
  readonly staged: 'by-default' | 'asked' | 'no';
}

/** $1 tenant, $2 repository, $3 name */
const BY_NAME = statement(`
  select true as "isBranch", commit_id as "commitId" from branches where (tenant, repository_id, name) = ($1, $2, $3)
  union all
  select false, commit_id from tags where (tenant, repository_id, name) = ($1, $2, $3)`);

/** $1 tenant, $2 repository, $3 prefix, $4 last name of the page before, $5 limit, $6 whether hidden ones are wanted */
const BRANCHES_PAGE = statement(`
  select name, commit_id as "commitId" from branches
  where (tenant, repository_id) = ($1, $2) and starts_with(name, $3) and name > $4 and (not hidden or $6)
  order by name limit $5`);

/** $1 tenant, $2 repository, $3 prefix, $4 last name of the page before, $5 limit */
const TAGS_PAGE = statement(`
  select name, commit_id as "commitId" from tags
  where (tenant, repository_id) = ($1, $2) and starts_with(name, $3) and name > $4 order by name limit $5`);

const BRANCH = statement(
  `select name, commit_id as "commitId" from branches where (tenant, repository_id, name) = ($1, $2, $3)`,
);
const TAG = statement(
  `select name, commit_id as "commitId" from tags where (tenant, repository_id, name) = ($1, $2, $3)`,
);

/** Names of commits in a repository. */
@Injectable()
export class Refs {
  constructor(
    private readonly dataSource: DataSource,
    private readonly commits: Commits,
  ) {}

  /** @throws CommandRefused `not-found`, or `invalid` for an expression that cannot mean anything */
  async resolve(repository: Repository, text: string): Promise<ResolvedRef> {
    const { base, modifiers } = parseRef(text);
    const { commit, branch } = await this.resolveBase(repository, base);
    const [mark] = modifiers;
    if (mark?.type === 'committed' || mark?.type === 'staged') {
      if (branch === undefined) throw refused('invalid', 'INVALID_REF', `${JSON.stringify(base)} is not a branch`);
      return { commit, branch, staged: mark.type === 'staged' ? 'asked' : 'no' };
    }
    if (!mark) return branch === undefined ? { commit, staged: 'no' } : { commit, branch, staged: 'by-default' };
    return { commit: await this.walk(repository, commit, modifiers), staged: 'no' };
  }

  /** The commit that an expression means where staged changes cannot be. @throws also `invalid` for `branch$` */
  async commitOf(repository: Repository, text: string): Promise<CommitRecord> {
    const { commit, staged } = await this.resolve(repository, text);
    if (staged === 'asked') throw refused('invalid', 'INVALID_REF', 'what is staged is not a commit yet');
    return commit;
  }

  /** Whether a name is the full id of a commit, which it would hide. */
  async resolvesToCommit(repository: Repository, name: string): Promise<boolean> {
    return /^[0-9a-f]{64}$/.test(name) && (await this.commits.find(repository, name)) !== undefined;
  }

  findBranch(repository: Repository, name: string): Promise<NamedRef | undefined> {
    return this.one(BRANCH, repository, name);
  }

  findTag(repository: Repository, name: string): Promise<NamedRef | undefined> {
    return this.one(TAG, repository, name);
  }

  listBranches(repository: Repository, query: NamePageQuery & { readonly showHidden: boolean }) {
    return this.page(BRANCHES_PAGE, repository, query, [query.showHidden]);
  }

  listTags(repository: Repository, query: NamePageQuery) {
    return this.page(TAGS_PAGE, repository, query, []);
  }

  /** Full id, branch, tag, then the beginning of an id, which must be of one commit only. */
  private async resolveBase(repository: Repository, base: string): Promise<{ commit: CommitRecord; branch?: string }> {
    const isFullId = /^[0-9a-f]{64}$/.test(base);
    const byId = isFullId ? await this.commits.find(repository, base) : undefined;
    if (byId) return { commit: byId };
    const key = [repository.tenant, repository.repositoryId];
    const named = await rowsOf<{ isBranch: boolean; commitId: string }>(this.dataSource, BY_NAME, [...key, base]);
    const ref = named.find(({ isBranch }) => isBranch) ?? named[0];
    if (ref) {
      const commit = await this.commits.get(repository, ref.commitId);
      return ref.isBranch ? { commit, branch: base } : { commit };
    }
    if (!/^[0-9a-f]{1,63}$/.test(base)) throw refNotFound();
    // `g` is the first letter after the hexadecimal ones.
    const ids = await rowsOf<{ id: string }>(this.dataSource, COMMITS_BY_PREFIX, [...key, base, `${base}g`]);
    const [only] = ids;
    if (!only || ids.length > 1) throw refNotFound();
    return { commit: await this.commits.get(repository, only.id) };
  }

  private async walk(
    repository: Repository,
    from: CommitRecord,
    modifiers: readonly RefModifier[],
  ): Promise<CommitRecord> {
    let commit = from;
    for (const modifier of modifiers) {
      if (modifier.type === 'ancestor') {
        for (let step = 0; step < modifier.count; step += 1) {
          const [parent] = commit.parents;
          if (parent === undefined) throw refNotFound();
          commit = await this.commits.get(repository, parent);
        }
      } else if (modifier.type === 'parent' && modifier.number > 0) {
        const parent = commit.parents[modifier.number - 1];
        if (parent === undefined) throw refused('invalid', 'INVALID_REF', 'the commit has no parent of that number');
        commit = await this.commits.get(repository, parent);
      }
    }
    return commit;
  }

  private async one(sql: Statement, { tenant, repositoryId }: Repository, name: string): Promise<NamedRef | undefined> {
    const [row] = await rowsOf<NamedRef>(this.dataSource, sql, [tenant, repositoryId, name]);
    return row;
  }

  private async page(
    sql: Statement,
    { tenant, repositoryId }: Repository,
    { prefix, after, limit }: NamePageQuery,
    more: readonly unknown[],
  ): Promise<{ items: NamedRef[]; hasMore: boolean }> {
    const values = [tenant, repositoryId, prefix, after, limit + 1, ...more];
    const rows = await rowsOf<NamedRef>(this.dataSource, sql, values);
    return { items: rows.slice(0, limit), hasMore: rows.length > limit };
  }
}
