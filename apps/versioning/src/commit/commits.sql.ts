import { statement } from '../sql/statement';

const COLUMNS = `
  c.id, c.parents, c.committer, c.message, c.created_at_seconds as "createdAtSeconds", c.tree_id as "treeId", c.metadata,
  c.generation`;

/** A commit and its nearest ancestors along first parents, that a walk will ask for next. $1 tenant, $2 repository, $3 id, $4 count */
export const COMMIT_AND_ANCESTORS = statement(`
  with recursive chain (id, depth) as (
    select $3::text collate "C", 1
    union all
    select p.parents ->> 0, chain.depth + 1
    from chain join commits p on (p.tenant, p.repository_id, p.id) = ($1, $2, chain.id)
    where chain.depth < $4 and jsonb_array_length(p.parents) > 0
  )
  select ${COLUMNS} from chain join commits c on (c.tenant, c.repository_id, c.id) = ($1, $2, chain.id)`);

/** At most two, so that a prefix which is not unique shows. $1 tenant, $2 repository, $3 prefix, $4 first text beyond it */
export const COMMITS_BY_PREFIX = statement(`
  select id from commits where (tenant, repository_id) = ($1, $2) and id >= $3 and id < $4 limit 2`);
