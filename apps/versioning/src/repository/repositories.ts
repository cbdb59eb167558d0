import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RepositoryRow } from '../projections/repositories.projection';
import { matchesGlob } from './glob';
import { readOnlyRepository, refused, repositoryNotFound } from './refusals';
import { rowsOf, statement } from '../sql/statement';

export type Repository = RepositoryRow;

const COLUMNS = `
  tenant, repository_id as "repositoryId", name, storage_namespace as "storageNamespace", default_branch as "defaultBranch",
  read_only as "readOnly", metadata, protected_patterns as "protectedPatterns", created_at as "createdAt"`;

/** $1 tenant, $2 name */
const BY_NAME = statement(`select ${COLUMNS} from repositories where tenant = $1 and name = $2`);

/** $1 tenant, $2 least name, $3 last name of the page before, $4 part of the name, $5 limit */
const PAGE = statement(`
  select ${COLUMNS} from repositories
  where tenant = $1 and starts_with(name, $2) and name > $3 and strpos(name, $4) > 0 order by name limit $5`);

/** $1 tenant, $2 storage namespace */
const BY_NAMESPACE = statement('select name from repositories where tenant = $1 and storage_namespace = $2');

export interface NamePageQuery {
  readonly prefix: string;
  /** Exclusive; the empty text is before every name. */
  readonly after: string;
  readonly limit: number;
}

/** A tenant's repositories. */
@Injectable()
export class Repositories {
  constructor(private readonly dataSource: DataSource) {}

  async find(tenant: string, name: string): Promise<Repository | undefined> {
    const [row] = await rowsOf<Repository>(this.dataSource, BY_NAME, [tenant, name]);
    return row;
  }

  /** @throws CommandRefused `not-found` */
  async get(tenant: string, name: string): Promise<Repository> {
    const repository = await this.find(tenant, name);
    if (!repository) throw repositoryNotFound();
    return repository;
  }

  async holderOfNamespace(tenant: string, storageNamespace: string): Promise<string | undefined> {
    const [row] = await rowsOf<{ name: string }>(this.dataSource, BY_NAMESPACE, [tenant, storageNamespace]);
    return row?.name;
  }

  /** By name; `search` is a part of it. */
  async list(
    tenant: string,
    { prefix, after, limit, search = '' }: NamePageQuery & { readonly search?: string },
  ): Promise<{ items: Repository[]; hasMore: boolean }> {
    const rows = await rowsOf<Repository>(this.dataSource, PAGE, [tenant, prefix, after, search, limit + 1]);
    return { items: rows.slice(0, limit), hasMore: rows.length > limit };
  }
}

/** @throws CommandRefused `forbidden` */
export function assertNotReadOnly({ readOnly }: Repository, { force }: { force: boolean }): void {
  if (readOnly && !force) throw readOnlyRepository();
}

/** @throws CommandRefused `forbidden` when a rule protects the branch from direct changes of this kind */
export function assertNotProtected(repository: Repository, branch: string, change: 'write' | 'commit'): void {
  if (!repository.protectedPatterns.some((pattern) => matchesGlob(pattern, branch))) return;
  throw refused('forbidden', 'PROTECTED_BRANCH', `cannot ${change} to protected branch`);
}
