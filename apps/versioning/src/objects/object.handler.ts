import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { ApiError, Clock } from '@mledger/service-kit';
import { decodeEntry, type Entry } from '../entry/entry';
import { StoredNodes } from '../object-tree/stored-nodes';
import { getEntry } from '../object-tree/tree-cursor';
import { assertPath } from '../repository/names';
import { pathExists, pathNotFound } from '../repository/refusals';
import { assertNotProtected, assertNotReadOnly, type Repository } from '../repository/repositories';
import { Staging, type BranchKey } from '../staging/staging';
import { encodeNewEntry, Objects } from './objects';

export interface WriteTerms {
  /** Also in a read-only repository. */
  readonly force: boolean;
  /** Only where nothing has the path. */
  readonly ifAbsent: boolean;
}

/** What is told of an object beside its bytes. */
export interface ObjectFacts {
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

type NewEntry = Omit<Entry, 'modifiedAtSeconds'> & { readonly modifiedAtSeconds?: number };

export const DELETED_PATHS_MAX = 1000;
/** Compare-and-set of a path against commits of other processes; each lost round means that another one's work got done. */
const STAGE_TRIES_MAX = 16;

/** Writes objects to branches: bytes first, then the staged entry that shows them. */
@Injectable()
export class ObjectHandler {
  constructor(
    private readonly objects: Objects,
    private readonly staging: Staging,
    private readonly nodes: StoredNodes,
    private readonly clock: Clock,
  ) {}

  /** @param body read to its end, unless the write is refused before */
  async upload(
    key: BranchKey,
    path: string,
    upload: ObjectFacts & { readonly body: Readable | Buffer },
    terms: WriteTerms,
  ): Promise<Entry> {
    await this.assertWritable(key, path, terms);
    const { objectId, sizeBytes, md5 } = await this.objects.takeIn(key.repository, upload.body);
    const { contentType, metadata } = upload;
    const entry = { objectId, sizeBytes, checksum: md5, contentType, metadata };
    return this.stageOrDiscard(key, path, entry, terms);
  }

  /** Refuses early what would be refused after the bytes came in. @throws CommandRefused */
  async assertWritable(key: BranchKey, path: string, { force, ifAbsent }: WriteTerms): Promise<void> {
    const { repository, branch } = key;
    assertPath(path);
    assertNotReadOnly(repository, { force });
    assertNotProtected(repository, branch, 'write');
    const found = await this.staging.entryAt(key, Buffer.from(path));
    if (!ifAbsent) return;
    const taken = found.isStaged ? found.entry : await this.committed(repository, found.treeId, path);
    if (taken) throw pathExists();
  }

  /** Shows bytes that are there already under a path. */
  async stage(
    key: BranchKey,
    path: string,
    entry: NewEntry,
    { ifAbsent }: Pick<WriteTerms, 'ifAbsent'>,
  ): Promise<Entry> {
    const whole = { modifiedAtSeconds: Math.floor(this.clock.nowMs() / 1000), ...entry };
    const encoded = encodeNewEntry(whole);
    if (ifAbsent) await this.stageIfAbsent(key, path, encoded);
    else await this.staging.stage(key, [{ path: Buffer.from(path), entry: encoded }]);
    return whole;
  }

  /** What is not there counts as deleted. @throws CommandRefused */
  async delete(key: BranchKey, paths: readonly string[], { force }: Pick<WriteTerms, 'force'>): Promise<void> {
    if (paths.length > DELETED_PATHS_MAX) {
      throw ApiError.invalid(`paths: at most ${DELETED_PATHS_MAX} at once, not ${paths.length}`);
    }
    for (const path of paths) assertPath(path);
    assertNotReadOnly(key.repository, { force });
    assertNotProtected(key.repository, key.branch, 'write');
    const nodes = this.nodes.of(key.repository);
    const distinct = [...new Set(paths)].map((path) => Buffer.from(path));
    const removals = [];
    for (const { path, isStaged, entry, treeId } of await this.staging.entriesAt(key, distinct)) {
      // A staged entry is replaced by a removal, never just dropped: a commit under way may be taking it in.
      const isThere = isStaged ? entry !== null : (await getEntry(nodes, treeId, path)) !== undefined;
      if (isThere) removals.push({ path, entry: undefined });
    }
    await this.staging.stage(key, removals);
  }

  /** A copy of the bytes under another path; from the destination branch as it is now, unless a ref is given. `accept` throws for a source that is not wanted. */
  async copy(
    key: BranchKey,
    { from, to }: { from: { repository: Repository; ref: string; path: string }; to: string },
    terms: WriteTerms & { readonly facts?: ObjectFacts; readonly accept?: (source: Entry) => void },
  ): Promise<Entry> {
    await this.assertWritable(key, to, terms);
    const source = await this.objects.get(from.repository, from.ref, from.path);
    terms.accept?.(source);
    const { repository } = from;
    const objectId = await this.objects.duplicate(key.repository, { repository, objectId: source.objectId });
    const { modifiedAtSeconds: _, ...facts } = source;
    return this.stageOrDiscard(key, to, { ...facts, ...terms.facts, objectId }, terms);
  }

  /** Replaces the user metadata of an object as the branch shows it. */
  async replaceMetadata(
    key: BranchKey,
    path: string,
    metadata: Readonly<Record<string, string>>,
    { force }: Pick<WriteTerms, 'force'>,
  ): Promise<void> {
    await this.assertWritable(key, path, { force, ifAbsent: false });
    await this.stageOverShown(key, path, (shown) => {
      if (!shown) throw pathNotFound();
      return encodeNewEntry({ ...shown, metadata, modifiedAtSeconds: Math.floor(this.clock.nowMs() / 1000) });
    });
  }

  /** Shows bytes that were taken in for this; lets go of them when they cannot be shown. */
  private async stageOrDiscard(key: BranchKey, path: string, entry: NewEntry, terms: WriteTerms): Promise<Entry> {
    try {
      return await this.stage(key, path, entry, terms);
    } catch (error) {
      await this.objects.discard(key.repository, entry.objectId);
      throw error;
    }
  }

  private stageIfAbsent(key: BranchKey, path: string, entry: Buffer): Promise<void> {
    return this.stageOverShown(key, path, (shown) => {
      if (shown) throw pathExists();
      return entry;
    });
  }

  /** Stages what `next` makes of what the branch shows; nobody stages or commits anything at the path in between. */
  private async stageOverShown(
    key: BranchKey,
    path: string,
    next: (shown: Entry | undefined) => Buffer,
  ): Promise<void> {
    for (let attempt = 1; attempt <= STAGE_TRIES_MAX; attempt += 1) {
      const found = await this.staging.entryAt(key, Buffer.from(path));
      const shown = found.isStaged
        ? found.entry && decodeEntry(found.entry)
        : await this.committed(key.repository, found.treeId, path);
      if (await this.staging.stageOver(key, found, next(shown ?? undefined))) return;
      // Somebody staged it meanwhile, which the next look shows, or a commit moved the head.
    }
    throw ApiError.unavailable('the branch is moving too fast to say what its path holds: try again');
  }

  private async committed(repository: Repository, treeId: string, path: string): Promise<Entry | undefined> {
    const entry = await getEntry(this.nodes.of(repository), treeId, Buffer.from(path));
    return entry && decodeEntry(entry);
  }
}
