import { statement } from '../sql/statement';

const UPLOAD = `
  select upload_id as "uploadId", branch, path, content_type as "contentType", metadata, started_at as "startedAt"
  from multipart_uploads`;

/** $1 upload, $2 tenant, $3 repository, $4 branch, $5 path, $6 content type, $7 metadata, $8 time */
export const CREATE_UPLOAD = statement(`
  insert into multipart_uploads (upload_id, tenant, repository_id, branch, path, content_type, metadata, started_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8)`);

/** $1 upload, $2 tenant, $3 repository, $4 branch, $5 path */
export const FIND_UPLOAD = statement(
  `${UPLOAD} where (upload_id, tenant, repository_id, branch, path) = ($1, $2, $3, $4, $5)`,
);

/**
 * Uploads by key, those of one key by their ids; those whose keys hold the delimiter after the prefix as one row without an id.
 * A key beyond the marker may belong to a common prefix that the page before ended with.
 * $1 tenant, $2 repository, $3 prefix, $4 delimiter, $5 key marker, $6 upload marker, $7 limit
 */
export const LIST_UPLOADS = statement(`
  with keyed as (
    select upload_id::text as upload_id, started_at, key, substr(key, length($3) + 1) as rest
    from multipart_uploads, concat(branch, '/', path) as key
    where (tenant, repository_id) = ($1, $2) and starts_with(key, $3)
  ), named as (
    select *, case when $4 <> '' and strpos(rest, $4) > 0 then concat($3, split_part(rest, $4, 1), $4) end as common_prefix
    from keyed
    where key collate "C" > $5 or (key = $5 and upload_id > $6)
  )
  select coalesce(common_prefix, key) as key, case when common_prefix is null then upload_id end as "uploadId",
    min(started_at) as "startedAt"
  from named where common_prefix is distinct from $5
  group by 1, 2 order by coalesce(common_prefix, key) collate "C", 2 limit $7`);

/** Gives no row when the upload is not there any more. $1 upload, $2 number, $3 object, $4 size, $5 md5, $6 time */
export const KEEP_PART = statement(`
  insert into multipart_parts (upload_id, part_number, object_id, size_bytes, md5, modified_at)
  select upload_id, $2, $3, $4, $5, $6 from multipart_uploads where upload_id = $1 for key share
  on conflict (upload_id, part_number) do update
  set object_id = excluded.object_id, size_bytes = excluded.size_bytes, md5 = excluded.md5,
    modified_at = excluded.modified_at
  returning 1`);

/** $1 upload */
export const LIST_PARTS = statement(`
  select part_number as "partNumber", object_id as "objectId", size_bytes as "sizeBytes", md5, modified_at as "modifiedAt"
  from multipart_parts where upload_id = $1 order by part_number`);

/** Its parts go with it. $1 upload */
export const FORGET_UPLOAD = statement('delete from multipart_uploads where upload_id = $1');
