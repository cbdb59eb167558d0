/** $1 tenant, $2 run id */
export const RUN = `
  select run_id as "runId", experiment_id as "experimentId", artifact_uri as "artifactUri"
  from source_runs where tenant = $1 and run_id = $2`;

/** $1 tenant, $2 logged model id */
export const LOGGED_MODEL = `
  select logged_model_id as "loggedModelId", experiment_id as "experimentId", source_run_id as "sourceRunId",
         artifact_location as "artifactLocation", status, manifest_sha256 as "manifestSha256"
  from source_logged_models where tenant = $1 and logged_model_id = $2`;

/** The youngest whole model that a run logged under a name. $1 tenant, $2 run id, $3 name */
export const LOGGED_MODEL_BY_NAME = `
  select logged_model_id as "loggedModelId"
  from source_logged_models where tenant = $1 and source_run_id = $2 and name = $3 and status = 'ready'
  order by created_at desc, logged_model_id desc limit 1`;

/**
 * The files below a folder (all, where it is empty); '0' is the character after '/', so the range needs no pattern.
 * $1 tenant, $2 owner, $3 folder
 */
export const FILES = `
  select path, object_key as "objectKey", size_bytes as "sizeBytes", sha256
  from source_files
  where tenant = $1 and owner = $2
    and ($3 = '' or (path >= $3 || '/' collate "C" and path < $3 || '0' collate "C"))
  order by path`;

/**
 * Of each metric, the newest point that measures a model: linked to it by whatever run, or of its own run without
 * naming a model. $1 tenant, $2 logged model id ('' for none), $3 run id ('' for none), $4 metrics
 */
export const LATEST_METRICS = `
  select distinct on (metric) metric, value, run_id as "runId", step, timestamp_ms as "timestampMs", event_id as "eventId"
  from source_metrics
  where tenant = $1 and metric = any($4)
    and ((logged_model_id = $2 and $2 <> '') or (run_id = $3 and logged_model_id = ''))
  order by metric, timestamp_ms desc, logged_model_id desc, step desc, value desc`;

/** $1 tenant, $2 pipeline id */
export const PIPELINE_NAME = `select name from known_pipelines where tenant = $1 and pipeline_id = $2`;
