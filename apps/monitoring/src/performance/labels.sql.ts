/** Ground truth, the last word of it. $1 tenant, $2 endpoint, $3 request ids, $4 rows, $5 labels, pairwise */
export const STORE_LABELS = `
  insert into labels (tenant, endpoint, request_id, row, label)
  select $1, $2, request_id, row, label from unnest($3::text[], $4::int[], $5::json[]) as l (request_id, row, label)
  on conflict (tenant, endpoint, request_id, row) do update set label = excluded.label, arrived_at = now()`;

/** $1 days */
export const EXPIRE_LABELS = `delete from labels where arrived_at < now() - $1 * interval '1 day'`;

/** $1 tenant, $2 endpoint, $3 request ids */
export const LABELS_OF_REQUESTS = `
  select request_id as "requestId", row, label from labels where tenant = $1 and endpoint = $2 and request_id = any($3)`;

/** What these monitors have of these requests. $1 tenant, $2 monitor ids, $3 request ids */
export const ROWS_SEEN = `
  select monitor_id as "monitorId", request_id as "requestId", first_row as "firstRow", rows,
    request_rows as "requestRows", window_id as "windowId", judged
  from window_rows
  where tenant = $1 and monitor_id = any($2) and request_id = any($3)`;

/** A closed window's predictions, each request with those of its rows that have labels. $1 tenant, $2 monitor id, $3 window id, $4 endpoint */
export const WINDOW_LABELS = `
  select rows, first_row as "firstRow", predictions,
    (select coalesce(json_agg(json_build_array(row, label)), '[]') from labels
      where labels.tenant = $1 and endpoint = $4 and labels.request_id = window_rows.request_id
        and row >= first_row and row < first_row + rows) as labels
  from window_rows
  where tenant = $1 and monitor_id = $2 and window_id = $3 and not judged`;

/** The rows stay known, their predictions are not needed any more. $1 tenant, $2 monitor id, $3 window id */
export const MARK_JUDGED = `
  update window_rows set judged = true, predictions = '[]' where tenant = $1 and monitor_id = $2 and window_id = $3`;

/** $1 tenant, $2 monitor id, $3 window id */
export const WINDOW = `
  select evaluation -> 'window' as window from windows where tenant = $1 and monitor_id = $2 and window_id = $3`;
