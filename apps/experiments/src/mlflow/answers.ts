import type { ArtifactEntry } from '../queries/artifact.queries';
import type { ExperimentView } from '../queries/experiment.queries';
import type { LoggedModelView, ModelMetricView } from '../queries/logged-model.queries';
import type { DatasetView, MetricView, RunView } from '../queries/run.queries';
import type { Pairs } from '../projections/experiment.projection';

/** The messages of MLflow's REST API, from the rows that queries return. */

export function experimentAnswer(row: ExperimentView): object {
  return {
    experiment_id: row.experiment_id,
    name: row.name,
    artifact_location: row.artifact_location,
    lifecycle_stage: stageOf(row),
    creation_time: Number(row.creation_time),
    last_update_time: Number(row.last_update_time),
    tags: listed(row.tags),
  };
}

export function runInfoAnswer(row: RunView): object {
  return {
    run_id: row.run_id,
    run_uuid: row.run_id,
    run_name: row.name,
    experiment_id: row.experiment_id,
    user_id: row.user_id,
    status: row.status,
    start_time: Number(row.start_time),
    ...(row.end_time !== null && { end_time: Number(row.end_time) }),
    artifact_uri: row.artifact_uri,
    lifecycle_stage: stageOf(row),
  };
}

export function runAnswer(row: RunView): object {
  return {
    info: runInfoAnswer(row),
    data: { metrics: (row.metrics ?? []).map(metricAnswer), params: listed(row.params), tags: listed(row.tags) },
    inputs: {
      dataset_inputs: (row.datasets ?? []).map(datasetAnswer),
      model_inputs: row.model_inputs.map(({ modelId }) => ({ model_id: modelId })),
    },
    outputs: { model_outputs: row.model_outputs.map(({ modelId, step }) => ({ model_id: modelId, step })) },
  };
}

export function metricAnswer({ key, value, is_nan: isNan, timestamp, step }: MetricView): object {
  return { key, value: isNan ? 'NaN' : value, timestamp, step };
}

function datasetAnswer({ tags, schema, profile, ...dataset }: DatasetView): object {
  return {
    tags: listed(tags),
    dataset: { ...dataset, ...(schema !== null && { schema }), ...(profile !== null && { profile }) },
  };
}

export function loggedModelAnswer(row: LoggedModelView): object {
  return {
    info: {
      model_id: row.model_id,
      experiment_id: row.experiment_id,
      name: row.name,
      creation_timestamp_ms: Number(row.creation_time),
      last_updated_timestamp_ms: Number(row.last_update_time),
      artifact_uri: row.artifact_location,
      status: `LOGGED_MODEL_${row.status}`,
      model_type: row.model_type,
      ...(row.source_run_id !== null && { source_run_id: row.source_run_id }),
      tags: listed(row.tags),
    },
    data: {
      params: listed(row.params),
      metrics: (row.metrics ?? []).map((metric) => modelMetricAnswer(row.model_id, metric)),
    },
  };
}

function modelMetricAnswer(modelId: string, metric: ModelMetricView): object {
  const { run_id, dataset_name, dataset_digest } = metric;
  const dataset = { ...(dataset_name && { dataset_name }), ...(dataset_digest && { dataset_digest }) };
  return { ...metricAnswer(metric), model_id: modelId, run_id, ...dataset };
}

/** @param folder what was listed; MLflow names entries from the artifact root on, or by their last segment alone. */
export function fileAnswer({ name, is_dir, size_bytes }: ArtifactEntry, folder = ''): object {
  const path = folder === '' ? name : `${folder}/${name}`;
  return is_dir ? { path, is_dir } : { path, is_dir, file_size: size_bytes };
}

function stageOf({ deleted }: { deleted: boolean }): string {
  return deleted ? 'deleted' : 'active';
}

function listed(pairs: Pairs): { key: string; value: string }[] {
  return Object.entries(pairs).map(([key, value]) => ({ key, value }));
}
