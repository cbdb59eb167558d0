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

/** $1 tenant, $2 repository, $3 beginning of branch and path, $4 limit */
export const LIST_UPLOADS = statement(`
  ${UPLOAD} where (tenant, repository_id) = ($1, $2) and starts_with(branch || '/' || path, $3)
  order by branch, path, upload_id limit $4`);

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
