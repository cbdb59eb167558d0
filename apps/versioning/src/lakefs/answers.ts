import type { CommitRecord } from '@mledger/contracts';
import type { DiffItem } from '../diff/diffs';
import { decodeEntry, type Entry } from '../entry/entry';
import { addressOf, type ListedObject } from '../objects/objects';
import type { NamedRef } from '../refs/refs';
import type { Repository } from '../repository/repositories';

/** The shapes of lakeFS' REST API; its clients refuse an answer that lacks a required field. */

export function pageAnswer(
  results: readonly object[],
  { hasMore, lastKey }: { hasMore: boolean; lastKey: string | undefined },
): object {
  const next_offset = hasMore ? (lastKey ?? '') : '';
  return { pagination: { has_more: hasMore, next_offset, results: results.length, max_per_page: 1000 }, results };
}

export function repositoryAnswer(repository: Repository): object {
  return {
    id: repository.name,
    creation_date: Math.floor(Date.parse(repository.createdAt) / 1000),
    default_branch: repository.defaultBranch,
    storage_namespace: repository.storageNamespace,
    storage_id: '',
    read_only: repository.readOnly,
  };
}

export function refAnswer({ name, commitId }: NamedRef): object {
  return { id: name, commit_id: commitId };
}

export function commitAnswer(commit: CommitRecord): object {
  return {
    id: commit.id,
    parents: commit.parents,
    committer: commit.committer,
    message: commit.message,
    creation_date: commit.createdAtSeconds,
    meta_range_id: commit.treeId,
    metadata: commit.metadata,
    generation: commit.generation,
    version: 1,
  };
}

export interface StatsOptions {
  readonly userMetadata: boolean;
  /** In the physical address's place. */
  readonly presignedUrl?: string;
  /** Unix seconds. */
  readonly presignedUntil?: number;
}

export function statsAnswer(repository: Repository, path: string, entry: Entry, options: StatsOptions): object {
  return {
    path,
    path_type: 'object',
    physical_address: options.presignedUrl ?? addressOf(repository, entry),
    ...(options.presignedUntil !== undefined && { physical_address_expiry: options.presignedUntil }),
    checksum: entry.checksum,
    size_bytes: entry.sizeBytes,
    mtime: entry.modifiedAtSeconds,
    ...(options.userMetadata && { metadata: entry.metadata }),
    content_type: entry.contentType,
  };
}

export function listedAnswer(
  repository: Repository,
  item: ListedObject,
  options: (entry: Entry) => StatsOptions,
): object {
  if (item.type === 'object') return statsAnswer(repository, item.path, item.entry, options(item.entry));
  return { path: item.path, path_type: 'common_prefix', physical_address: '', checksum: '', mtime: 0 };
}

export function diffAnswer(item: DiffItem, { rightStats }: { rightStats: boolean }): object {
  if (item.type === 'prefix_changed') return { type: item.type, path: item.path, path_type: 'common_prefix' };
  const entry = item.entry && decodeEntry(item.entry);
  return {
    type: item.type,
    path: item.path,
    path_type: 'object',
    size_bytes: entry?.sizeBytes ?? 0,
    ...(rightStats &&
      entry && {
        right: {
          checksum: entry.checksum,
          mtime: entry.modifiedAtSeconds,
          content_type: entry.contentType,
          metadata: entry.metadata,
        },
      }),
  };
}
