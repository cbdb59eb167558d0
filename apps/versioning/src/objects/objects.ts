import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import {
  newObjectKey,
  ObjectStoreError,
  type ByteRange,
  type ObjectBody,
  type ObjectStore,
} from '@mledger/object-store';
import { ApiError, Clock, OBJECT_STORE } from '@mledger/service-kit';
import { decodeEntry, encodeEntry, newObjectId, physicalAddress, type Entry } from '../entry/entry';
import { firstKeyPast, listEntries } from '../object-tree/list-entries';
import { StoredNodes } from '../object-tree/stored-nodes';
import { getEntry, TreeCursor } from '../object-tree/tree-cursor';
import { Refs, type ResolvedRef } from '../refs/refs';
import { assertPath, isBranchName } from '../repository/names';
import { objectGone, pathNotFound } from '../repository/refusals';
import type { Repository } from '../repository/repositories';
import { OverlayCursor } from '../staging/staged-cursor';
import { Staging, type EntryAtBranch } from '../staging/staging';

export interface ListObjects {
  readonly prefix: string;
  readonly after: string;
  readonly delimiter: string;
  readonly limit: number;
}

export type ListedObject =
  | { readonly type: 'object'; readonly path: string; readonly entry: Entry }
  | { readonly type: 'common-prefix'; readonly path: string };

export interface StoredBytes {
  readonly objectId: string;
  readonly sizeBytes: number;
  readonly md5: string;
}

/** Reads objects as a ref shows them, and keeps bytes under ids of their own. */
@Injectable()
export class Objects {
  constructor(
    private readonly refs: Refs,
    private readonly staging: Staging,
    private readonly nodes: StoredNodes,
    private readonly clock: Clock,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  /** @throws CommandRefused `not-found` */
  async get(repository: Repository, ref: string, path: string): Promise<Entry> {
    assertPath(path);
    const entry =
      (await this.findAtBranch(repository, ref, path)) ??
      (await this.find(repository, await this.refs.resolve(repository, ref), path));
    if (!entry) throw pathNotFound();
    return entry;
  }

  async find(repository: Repository, ref: ResolvedRef, path: string): Promise<Entry | undefined> {
    assertPath(path);
    const key = Buffer.from(path);
    if (ref.staged === 'no' || ref.branch === undefined) {
      const committed = await getEntry(this.nodes.of(repository), ref.commit.treeId, key);
      return committed && decodeEntry(committed);
    }
    return this.shownAt(repository, await this.staging.entryAt({ repository, branch: ref.branch }, key));
  }

  /** The short way for the most common ref, the bare name of a branch: one query. Undefined also when it is no branch. */
  private async findAtBranch(repository: Repository, name: string, path: string): Promise<Entry | undefined> {
    // A full commit id is no branch's name.
    if (!isBranchName(name) || /^[0-9a-f]{64}$/.test(name)) return undefined;
    const key = Buffer.from(path);
    const found = await this.staging.findEntryAt({ repository, branch: name }, key);
    return found && this.shownAt(repository, found);
  }

  private async shownAt(repository: Repository, { path, isStaged, entry, treeId }: EntryAtBranch) {
    const shown = isStaged ? entry : await getEntry(this.nodes.of(repository), treeId, path);
    return shown ? decodeEntry(shown) : undefined;
  }

  /** A page of what a ref shows, by the bytes of the paths. */
  async list(
    repository: Repository,
    ref: ResolvedRef,
    { prefix, after, delimiter, limit }: ListObjects,
  ): Promise<{ items: ListedObject[]; hasMore: boolean }> {
    const nodes = this.nodes.of(repository);
    const query = {
      prefix: Buffer.from(prefix),
      after: Buffer.from(after),
      limit,
      ...(delimiter !== '' && { delimiter: Buffer.from(delimiter) }),
    };
    const { items, hasMore } =
      ref.staged === 'no' || ref.branch === undefined
        ? await listEntries(new TreeCursor(nodes, ref.commit.treeId), query)
        : await this.staging.read(
            { repository, branch: ref.branch },
            (moment) => listEntries(new OverlayCursor(new TreeCursor(nodes, moment.treeId), moment.staged()), query),
            {
              from: query.after.compare(query.prefix) > 0 ? query.after : query.prefix,
              until: firstKeyPast(query.prefix),
            },
          );
    return {
      hasMore,
      items: items.map((item) =>
        item.type === 'entry'
          ? { type: 'object', path: item.key.toString(), entry: decodeEntry(item.value) }
          : { type: 'common-prefix', path: item.key.toString() },
      ),
    };
  }

  /** Takes bytes in, whole or not at all; nothing shows them until they are staged. */
  async takeIn(repository: Repository, body: Readable | Buffer): Promise<StoredBytes> {
    const objectId = newObjectId(this.clock.nowMs());
    const { sizeBytes, md5 } = await this.store.put(this.keyOf(repository, objectId), body);
    return { objectId, sizeBytes, md5 };
  }

  async duplicate(repository: Repository, source: { repository: Repository; objectId: string }): Promise<string> {
    const objectId = newObjectId(this.clock.nowMs());
    const from = this.keyOf(source.repository, source.objectId);
    await this.store.copy({ from, to: this.keyOf(repository, objectId) }).catch(mapGone);
    return objectId;
  }

  /** Lets go of bytes that nothing was made to show. */
  async discard(repository: Repository, objectId: string): Promise<void> {
    await this.store.delete(this.keyOf(repository, objectId));
  }

  /** @throws CommandRefused when the bytes are gone */
  async open(repository: Repository, objectId: string, range?: ByteRange): Promise<ObjectBody> {
    return this.store.get(this.keyOf(repository, objectId), range).catch(mapGone);
  }

  /** Undefined when there are no bytes under the id. */
  async sizeOf(repository: Repository, objectId: string): Promise<number | undefined> {
    try {
      return (await this.store.head(this.keyOf(repository, objectId))).sizeBytes;
    } catch (error) {
      if (error instanceof ObjectStoreError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  presignGet(repository: Repository, objectId: string, options: Parameters<ObjectStore['presignGet']>[1]) {
    return this.store.presignGet(this.keyOf(repository, objectId), options);
  }

  presignPut(repository: Repository, objectId: string, expiresInSeconds: number): Promise<string> {
    return this.store.presignPut(this.keyOf(repository, objectId), { expiresInSeconds });
  }

  private keyOf({ tenant, repositoryId }: Repository, objectId: string): string {
    return newObjectKey({ tenant, service: 'versioning', ownerId: repositoryId, id: objectId });
  }
}

/** The entry of bytes that have just been taken in. @throws ApiError when the metadata is too large */
export function encodeNewEntry(entry: Entry): Buffer {
  try {
    return encodeEntry(entry);
  } catch (error) {
    if (error instanceof RangeError) throw ApiError.invalid(`metadata: ${error.message}`);
    throw error;
  }
}

export function addressOf({ storageNamespace }: Repository, { objectId }: Pick<Entry, 'objectId'>): string {
  return physicalAddress(storageNamespace, objectId);
}

function mapGone(error: unknown): never {
  throw error instanceof ObjectStoreError && error.code === 'not-found' ? objectGone() : error;
}
