import { statement } from '../sql/statement';

const STAGED_OF_BRANCH = `
  (s.tenant, s.repository_id, s.branch, s.incarnation) = (b.tenant, b.repository_id, b.name, b.incarnation)`;

/**
 * Staged entries of some paths, and the tree that they lie over, of one moment: a row a path, no row when there is no such
 * branch. Paths are bytes: a listing leaps to keys that are no text, such as the first one past a prefix.
 * $1 tenant, $2 repository, $3 branch, $4 paths
 */
export const ENTRIES_AT_BRANCH = statement(`
  select b.commit_id as "commitId", c.tree_id as "treeId", p.path, s.path is not null as "isStaged", s.entry
  from branches b
  join commits c on (c.tenant, c.repository_id, c.id) = (b.tenant, b.repository_id, b.commit_id)
  cross join unnest($4::bytea[]) as p (path)
  left join staged_entries s on ${STAGED_OF_BRANCH} and s.path = p.path
  where (b.tenant, b.repository_id, b.name) = ($1, $2, $3)`);

/**
 * Stages values, or removals where the entry is null. Rows come in the order of paths, so that two batches that share
 * some cannot wait for each other. Gives a row for each that was staged: none when the branch does not exist.
 * $1 tenant, $2 repository, $3 branch, $4 paths, $5 entries
 */
export const STAGE = statement(`
  insert into staged_entries (tenant, repository_id, branch, incarnation, path, entry, xid)
  select b.tenant, b.repository_id, b.name, b.incarnation, c.path, c.entry, pg_current_xact_id()
  from branches b
  cross join (select * from unnest($4::bytea[], $5::bytea[]) as u (path, entry) order by path) c
  where (b.tenant, b.repository_id, b.name) = ($1, $2, $3)
  on conflict (tenant, repository_id, branch, incarnation, path)
  do update set entry = excluded.entry, xid = excluded.xid
  returning 1`);

/**
 * Stages a value over what was found at the path, and nothing else: the branch's head, in which the path was looked up, is
 * still the same, and so is what is staged. Without the lock, a commit that takes a staged value over at this moment would
 * free the way for the insert, though the value is in the new head.
 * $1 tenant, $2 repository, $3 branch, $4 path, $5 entry, $6 head, $7 what is staged: null for a removal, no bytes for nothing
 */
export const STAGE_OVER = statement(`
  insert into staged_entries (tenant, repository_id, branch, incarnation, path, entry, xid)
  select b.tenant, b.repository_id, b.name, b.incarnation, $4, $5, pg_current_xact_id()
  from branches b
  where (b.tenant, b.repository_id, b.name) = ($1, $2, $3) and b.commit_id = $6
  for share of b
  on conflict (tenant, repository_id, branch, incarnation, path)
  do update set entry = excluded.entry, xid = excluded.xid where staged_entries.entry is not distinct from $7
  returning 1`);

/**
 * What a branch is made of at this moment, and its first staged rows of a range of paths: one row at least.
 * $1 tenant, $2 repository, $3 branch, $4 least path, $5 first path beyond or null, $6 limit
 */
export const BRANCH_AND_STAGED = statement(`
  select b.commit_id as "commitId", c.tree_id as "treeId", b.incarnation, pg_current_snapshot()::text as snapshot,
    s.path, s.entry
  from branches b
  join commits c on (c.tenant, c.repository_id, c.id) = (b.tenant, b.repository_id, b.commit_id)
  left join lateral (
    select s.path, s.entry from staged_entries s
    where ${STAGED_OF_BRANCH} and s.path >= $4 and ($5::bytea is null or s.path < $5)
    order by s.path limit $6
  ) s on true
  where (b.tenant, b.repository_id, b.name) = ($1, $2, $3)
  order by s.path`);

/** A page by path. $1 tenant, $2 repository, $3 branch, $4 incarnation, $5 least path, $6 limit */
export const STAGED_PAGE = statement(`
  select path, entry from staged_entries
  where (tenant, repository_id, branch, incarnation) = ($1, $2, $3, $4) and path >= $5
  order by path limit $6`);

/** Clears what a snapshot shows; what was staged after it stays. $1 tenant, $2 repository, $3 branch, $4 incarnation, $5 snapshot */
export const CLEAR_STAGED = statement(`
  delete from staged_entries
  where (tenant, repository_id, branch, incarnation) = ($1, $2, $3, $4)
    and pg_visible_in_snapshot(xid, $5::pg_snapshot)`);

/** $1 tenant, $2 repository, $3 branch */
export const DROP_STAGED = statement('delete from staged_entries where (tenant, repository_id, branch) = ($1, $2, $3)');

/** $1 tenant, $2 repository, $3 branch, $4 path */
export const DROP_STAGED_PATH = statement(`${DROP_STAGED.text} and path = $4`);

/** $1 tenant, $2 repository, $3 branch, $4 least path, $5 first path beyond */
export const DROP_STAGED_PREFIX = statement(`${DROP_STAGED.text} and path >= $4 and ($5::bytea is null or path < $5)`);

/** $1 tenant, $2 repository */
export const DROP_STAGED_OF_REPOSITORY = statement(
  'delete from staged_entries where (tenant, repository_id) = ($1, $2)',
);
