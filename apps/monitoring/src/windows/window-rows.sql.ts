/** Monitors of these endpoints. $1 tenants, $2 endpoints, pairwise */
export const WATCHERS = `
  select tenant, monitor_id as "monitorId", monitor, endpoint, revision, definition, defined_at as "definedAt"
  from monitors where (tenant, endpoint) in (select * from unnest($1::text[], $2::text[]))`;

/** $1 the keys, ascending */
export const LOCK = 'select pg_advisory_xact_lock(k) from unnest($1::bigint[]) as k';

/** $1 tenant, $2 monitor id */
export const ROWS_OPEN = 'select rows from open_windows where tenant = $1 and monitor_id = $2';

/** Which of these requests the monitor has already. $1 tenant, $2 monitor id, $3 request ids */
export const KNOWN_REQUESTS = `
  select distinct request_id as "requestId" from window_rows
  where tenant = $1 and monitor_id = $2 and request_id = any($3)`;

/** In the order in which they came. $1 tenant, $2 monitor id */
export const OPEN_ROWS = `
  select request_id as "requestId", time, first_row as "firstRow", rows, request_rows as "requestRows", columns, predictions
  from window_rows
  where tenant = $1 and monitor_id = $2 and window_id is null order by arrival`;

/** $1 tenant, $2 monitor id, $3 window id or null, then one array a column */
export const INSERT_ROWS = `
  insert into window_rows
    (tenant, monitor_id, window_id, request_id, time, first_row, rows, request_rows, columns, predictions)
  select $1, $2, $3, request_id, time, first_row, rows, request_rows, columns, predictions
  from unnest($4::text[], $5::text[], $6::int[], $7::int[], $8::int[], $9::json[], $10::json[])
    with ordinality as piece (request_id, time, first_row, rows, request_rows, columns, predictions, position)
  order by position`;

/** $1 tenant, $2 monitor id, $3 rows */
export const SET_ROWS_OPEN = `
  insert into open_windows (tenant, monitor_id, rows) values ($1, $2, $3)
  on conflict (tenant, monitor_id) do update set rows = excluded.rows`;

/** What labels are compared with stays. $1 tenant, $2 monitor id, $3 window id */
export const CLOSE_ROWS = `
  update window_rows set window_id = $3, columns = null
  where tenant = $1 and monitor_id = $2 and window_id is null`;

/** $1 tenant, $2 monitor id */
export const DROP_OPEN_ROWS = 'delete from window_rows where tenant = $1 and monitor_id = $2 and window_id is null';
export const DROP_ALL_ROWS = 'delete from window_rows where tenant = $1 and monitor_id = $2';
export const DROP_OPEN_WINDOW = 'delete from open_windows where tenant = $1 and monitor_id = $2';

/** Labels that have not come by then are not waited for. $1 tenant, $2 monitor id, $3 days */
export const EXPIRE_ROWS = `
  delete from window_rows
  where tenant = $1 and monitor_id = $2 and window_id is not null and arrived_at < now() - $3 * interval '1 day'`;
