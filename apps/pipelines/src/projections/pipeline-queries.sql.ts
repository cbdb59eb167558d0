const PIPELINE_COLUMNS = `
  pipeline_id as "pipelineId", name, revision, steps, triggers, role,
  defined_by as "definedBy", defined_at as "definedAt"`;

const RUN_COLUMNS = `
  pipeline_run_id as "pipelineRunId", pipeline_id as "pipelineId", pipeline, revision, status, message, cause,
  triggered_by as "triggeredBy", triggered_at as "triggeredAt", completed_at as "completedAt", correlation, steps`;

/** $1 tenant, $2 name to go on after, $3 limit */
export const PIPELINES = `
  select ${PIPELINE_COLUMNS} from pipelines where tenant = $1 and name > $2 order by name limit $3`;

/** $1 tenant, $2 name */
export const PIPELINE = `select ${PIPELINE_COLUMNS} from pipelines where tenant = $1 and name = $2`;

/** Pipelines that a kind of event may start. $1 tenant, $2 `[{"on": …}]` */
export const PIPELINES_TRIGGERED_BY = `
  select pipeline_id as "pipelineId" from pipelines where tenant = $1 and triggers @> $2::jsonb order by pipeline_id`;

/** $1 tenant, $2 run id */
export const RUN = `select ${RUN_COLUMNS} from pipeline_runs where tenant = $1 and pipeline_run_id = $2`;

/** The youngest first. $1 tenant, $2 pipeline id, $3 run id to go on after or null, $4 limit */
export const RUNS = `
  select ${RUN_COLUMNS} from pipeline_runs
  where tenant = $1 and pipeline_id = $2 and ($3::text is null or (triggered_at, pipeline_run_id) < (
    select triggered_at, pipeline_run_id from pipeline_runs where tenant = $1 and pipeline_run_id = $3))
  order by triggered_at desc, pipeline_run_id desc limit $4`;

/** Of all tenants, the oldest first. $1 limit */
export const RUNNING = `
  select tenant, pipeline_run_id as "pipelineRunId" from pipeline_runs
  where status = 'running' order by triggered_at, pipeline_run_id limit $1`;
