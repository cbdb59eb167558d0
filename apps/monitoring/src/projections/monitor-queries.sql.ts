const MONITOR_COLUMNS = `
  monitors.tenant, monitors.monitor_id as "monitorId", monitor, endpoint, revision, definition,
  defined_at as "definedAt", defined_by as "definedBy"`;

const PROGRESS = `
  coalesce((select rows from open_windows where tenant = monitors.tenant and monitor_id = monitors.monitor_id), 0)
    as "rowsGathered",
  (select count(*)::int from alerts where tenant = monitors.tenant and monitor_id = monitors.monitor_id and status = 'open')
    as "openAlerts"`;

/** $1 tenant, $2 name */
export const MONITOR = `select ${MONITOR_COLUMNS}, ${PROGRESS} from monitors where tenant = $1 and monitor = $2`;

/** By name. $1 tenant, $2 name to go on after or null, $3 limit */
export const MONITORS = `
  select ${MONITOR_COLUMNS}, ${PROGRESS} from monitors
  where tenant = $1 and ($2::text is null or monitor > $2) order by monitor limit $3`;

/** The newest first. $1 tenant, $2 monitor id, $3 number to go on before, $4 limit */
export const WINDOWS = `
  select number, evaluation, evaluated_at as "evaluatedAt", performance from windows
  where tenant = $1 and monitor_id = $2 and number < $3 order by number desc limit $4`;

/** The newest first. $1 tenant, $2 monitor id, $3 status or null, $4 alert id to go on before or null, $5 limit */
export const ALERTS = `
  select alert_id as "alertId", kind, status, message, window_id as "windowId", window_number as "windowNumber",
    raised_at as "raisedAt", resolved_at as "resolvedAt", resolution
  from alerts
  where tenant = $1 and monitor_id = $2 and ($3::text is null or status = $3) and ($4::text is null or alert_id < $4)
  order by alert_id desc limit $5`;
