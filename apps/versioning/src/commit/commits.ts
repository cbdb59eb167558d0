import { Injectable } from '@nestjs/common';
import type { CommitRecord } from '@mledger/contracts';
import { DataSource } from 'typeorm';
import { COMMIT_AND_ANCESTORS } from './commits.sql';
import { rowsOf } from '../sql/statement';

const CACHED_MAX = 20_000;
const PREFETCHED_MAX = 64;

export interface RepositoryKey {
  readonly tenant: string;
  readonly repositoryId: string;
}

/** Commits by id. They never change, so those read once stay in memory. */
@Injectable()
export class Commits {
  private readonly cache = new Map<string, CommitRecord>();

  constructor(private readonly dataSource: DataSource) {}

  /** Undefined when the repository has no such commit. */
  async find(repository: RepositoryKey, id: string): Promise<CommitRecord | undefined> {
    const cached = this.cache.get(cacheKey(repository, id));
    if (cached) return cached;
    const { tenant, repositoryId } = repository;
    const rows = await rowsOf<CommitRecord>(this.dataSource, COMMIT_AND_ANCESTORS, [
      tenant,
      repositoryId,
      id,
      PREFETCHED_MAX,
    ]);
    for (const row of rows) this.remember(repository, row);
    return rows.find((row) => row.id === id);
  }

  /** @throws when there is none: some stored ref or parent names what was never made */
  async get(repository: RepositoryKey, id: string): Promise<CommitRecord> {
    const commit = await this.find(repository, id);
    if (!commit) throw new Error(`repository ${repository.repositoryId} has no commit ${id}`);
    return commit;
  }

  /** Keeps a commit at hand that has just been made, or read. */
  remember(repository: RepositoryKey, commit: CommitRecord): void {
    this.cache.set(cacheKey(repository, commit.id), commit);
    if (this.cache.size > CACHED_MAX) this.cache.delete(this.cache.keys().next().value!);
  }
}

function cacheKey({ tenant, repositoryId }: RepositoryKey, id: string): string {
  return `${tenant}/${repositoryId}/${id}`;
}
