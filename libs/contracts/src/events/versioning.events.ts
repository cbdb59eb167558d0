import { z } from 'zod';
import { defineEvent, type EventDefinition, type EventOf } from '../event-definition';

const commitId = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();

/** A commit, whole: its id is the SHA-256 of the other fields but `generation`. */
const commit = z.object({
  id: commitId,
  /** The first is the branch it was made on; a merge has two. */
  parents: z.array(commitId),
  committer: z.string(),
  message: z.string(),
  /** Unix time in seconds, as lakeFS clients read it. */
  createdAtSeconds: z.int(),
  /** Root of the object tree; the empty text in a repository's first commit. */
  treeId: z.string(),
  metadata: z.record(z.string(), z.string()),
  /** 1 for a first commit, else one more than the greatest of its parents. */
  generation: z.int().positive(),
});
export type CommitRecord = z.output<typeof commit>;

/** How many objects differ from the first parent. */
const changes = z.object({ added: count, changed: count, removed: count });

const repository = { repositoryId: z.string(), repository: z.string() };
const branch = { ...repository, branch: z.string() };
/** The head before, null in a repository's first commit. A branch moves by compare-and-set of its head. */
const advance = { ...branch, from: commitId.nullable(), commit, changes };

const REPOSITORY = { repositoryId: '0199f1c2-0000-7000-8000-00000000000a', repository: 'flights' };
const BRANCH = { ...REPOSITORY, branch: 'main' };
const FIRST_ID = '1'.repeat(64);
const COMMIT: CommitRecord = {
  id: '2'.repeat(64),
  parents: [FIRST_ID],
  committer: 'user:0199f1c2-0000-7000-8000-00000000000b',
  message: 'flights of January',
  createdAtSeconds: 1_767_225_600,
  treeId: 'a'.repeat(64),
  metadata: { source: 'nycflights13' },
  generation: 2,
};
const ADVANCE = { ...BRANCH, from: FIRST_ID, commit: COMMIT, changes: { added: 31, changed: 0, removed: 0 } };

function versioningEvent<const T extends string, D extends z.ZodObject>(
  type: T,
  summary: string,
  data: D,
  example: z.input<D>,
): EventDefinition<T, D> {
  return defineEvent({ service: 'versioning', type, schema: 1, summary, data, example });
}

const name = { name: z.string(), repositoryId: z.string() };
const NAME = { name: 'flights', repositoryId: REPOSITORY.repositoryId };

const repositoryNameEvents = [
  versioningEvent('NameClaimed', 'A repository holds a name.', z.object(name), NAME),
  versioningEvent('NameReleased', 'A name is free again.', z.object(name), NAME),
] as const;

const repositoryEvents = [
  versioningEvent(
    'RepositoryCreated',
    'A repository exists; its default branch and first commit follow in the same append.',
    z.object({
      ...repository,
      /** A label that lakeFS clients chose and see again in physical addresses; it says nothing of where bytes lie. */
      storageNamespace: z.string(),
      defaultBranch: z.string(),
      readOnly: z.boolean(),
    }),
    { ...REPOSITORY, storageNamespace: 'local://flights', defaultBranch: 'main', readOnly: false },
  ),
  versioningEvent(
    'RepositoryMetadataReplaced',
    'A repository has these key-value pairs and no others.',
    z.object({ ...repository, metadata: z.record(z.string(), z.string()) }),
    { ...REPOSITORY, metadata: { owner: 'operations' } },
  ),
  versioningEvent(
    'BranchProtectionReplaced',
    'Branches that match one of these globs refuse direct changes.',
    z.object({ ...repository, patterns: z.array(z.string()) }),
    { ...REPOSITORY, patterns: ['main', 'release-*'] },
  ),
  versioningEvent(
    'RepositoryDeleted',
    'A repository and all its refs are gone; its name is free, its id is never used again.',
    z.object(repository),
    REPOSITORY,
  ),
] as const;

const branchEvents = [
  versioningEvent(
    'BranchCreated',
    'A branch exists. The stream of its name lives on over deletion and re-creation: it is the reflog.',
    z.object({
      ...branch,
      /** Null for the default branch of a new repository, whose first commit follows. */
      commitId: commitId.nullable(),
      sourceRef: z.string(),
      /** Not listed unless asked for. */
      hidden: z.boolean(),
    }),
    { ...BRANCH, branch: 'experiment', commitId: FIRST_ID, sourceRef: 'main', hidden: false },
  ),
  versioningEvent('CommitCreated', 'Staged changes became a commit.', z.object(advance), ADVANCE),
  versioningEvent(
    'BranchMerged',
    'The changes of another ref since their merge base came in by a new commit.',
    z.object({
      ...advance,
      sourceRef: z.string(),
      sourceCommitId: commitId,
      baseCommitId: commitId,
      strategy: z.enum(['default', 'source-wins', 'dest-wins']),
      squash: z.boolean(),
    }),
    {
      ...ADVANCE,
      sourceRef: 'experiment',
      sourceCommitId: '3'.repeat(64),
      baseCommitId: FIRST_ID,
      strategy: 'default',
      squash: false,
    },
  ),
  versioningEvent(
    'CommitReverted',
    'A commit’s changes were undone by a new commit.',
    z.object({ ...advance, revertedCommitId: commitId, parentNumber: count }),
    { ...ADVANCE, revertedCommitId: FIRST_ID, parentNumber: 0 },
  ),
  versioningEvent(
    'CommitCherryPicked',
    'A commit’s changes were repeated on another branch.',
    z.object({ ...advance, originCommitId: commitId }),
    { ...ADVANCE, originCommitId: '3'.repeat(64) },
  ),
  versioningEvent(
    'BranchReset',
    'A branch’s head was moved to another commit.',
    z.object({ ...branch, from: commitId, to: commitId, ref: z.string() }),
    { ...BRANCH, from: COMMIT.id, to: FIRST_ID, ref: 'main~1' },
  ),
  versioningEvent('BranchDeleted', 'A branch is gone, its staged changes with it.', z.object({ ...branch, commitId }), {
    ...BRANCH,
    branch: 'experiment',
    commitId: COMMIT.id,
  }),
] as const;

const tag = { ...repository, tag: z.string(), commitId };
const TAG = { ...REPOSITORY, tag: 'v1.0', commitId: COMMIT.id };

const tagEvents = [
  versioningEvent('TagCreated', 'A tag names a commit.', z.object({ ...tag, ref: z.string() }), {
    ...TAG,
    ref: 'main',
  }),
  versioningEvent('TagDeleted', 'A tag names nothing any more.', z.object(tag), TAG),
] as const;

export const versioningEvents = [
  ...repositoryNameEvents,
  ...repositoryEvents,
  ...branchEvents,
  ...tagEvents,
] as const satisfies readonly EventDefinition[];

export type VersioningEvent = EventOf<(typeof versioningEvents)[number]>;
/** What stands on `<tenant>/repository-name:<name>`. */
export type RepositoryNameEvent = EventOf<(typeof repositoryNameEvents)[number]>;
/** What stands on `<tenant>/repository:<repositoryId>`. */
export type RepositoryEvent = EventOf<(typeof repositoryEvents)[number]>;
/** What stands on `<tenant>/branch:<repositoryId>/<name>`. */
export type BranchEvent = EventOf<(typeof branchEvents)[number]>;
/** What stands on `<tenant>/tag:<repositoryId>/<name>`. */
export type TagEvent = EventOf<(typeof tagEvents)[number]>;
