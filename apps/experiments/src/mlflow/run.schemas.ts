import { z } from 'zod';
import * as fields from './fields';

/** `run_uuid` is what `run_id` was called before MLflow 1.0; clients still send both. */
const withRun = <T extends z.ZodRawShape>(shape: T) =>
  z.preprocess(nameRunId, z.object({ run_id: fields.required, ...shape }));

function nameRunId(message: unknown): unknown {
  if (typeof message !== 'object' || message === null) return message;
  const { run_id, run_uuid } = message as { run_id?: unknown; run_uuid?: unknown };
  return run_id ? message : { ...message, run_id: run_uuid };
}

const metric = z.object({
  key: fields.text,
  value: fields.double,
  timestamp: fields.integer,
  step: fields.optionalInteger,
  model_id: fields.optionalText,
  dataset_name: fields.optionalText,
  dataset_digest: fields.optionalText,
});
export type MetricMessage = z.output<typeof metric>;

export const createRun = z.object({
  experiment_id: fields.optionalText,
  user_id: fields.textOrEmpty,
  run_name: fields.optionalText,
  start_time: fields.optionalInteger,
  tags: fields.listOf(fields.keyValue),
});

export const byRun = withRun({});

export const updateRun = withRun({
  status: fields.optionalEnum(fields.RUN_STATUS),
  end_time: fields.optionalInteger,
  run_name: fields.optionalText,
});

export const searchRuns = z.object({
  experiment_ids: fields.listOf(fields.text),
  filter: fields.optionalText,
  run_view_type: fields.optionalEnum(fields.VIEW),
  max_results: fields.maxResults(1000, 50_000),
  order_by: fields.listOf(fields.text),
  page_token: fields.optionalText,
});

export const logMetric = withRun(metric.shape);

export const logParam = withRun({ key: fields.text, value: fields.textOrEmpty });

export const setTag = logParam;

export const deleteTag = withRun({ key: fields.required });

export const logBatch = withRun({
  metrics: fields.listOf(metric),
  params: fields.listOf(fields.keyValue),
  tags: fields.listOf(fields.keyValue),
});

export const logModel = withRun({ model_json: fields.required });

/** What clients before 3.0 say of a model they logged; more is passed over. */
export const modelJson = z.looseObject({
  artifact_path: z.string(),
  flavors: z.record(z.string(), z.unknown()),
  utc_time_created: z.string(),
  run_id: z.string(),
});

/** Limits of MLflow's own: what its tables hold. */
const dataset = z.object({
  name: fields.required.max(500),
  digest: fields.required.max(36),
  source_type: fields.text,
  source: fields.text.max(65_535),
  schema: fields.optionalText.pipe(z.string().max(1_048_575).optional()),
  profile: fields.optionalText.pipe(z.string().max(16_777_215).optional()),
});

export const logInputs = withRun({
  datasets: fields.listOf(
    z.object({
      tags: fields.listOf(z.object({ key: z.string().max(255), value: z.string().max(500) })),
      dataset,
    }),
  ),
  models: fields.listOf(z.object({ model_id: fields.required })),
});

export const logOutputs = withRun({
  models: fields.listOf(z.object({ model_id: fields.required, step: fields.optionalInteger })),
});

export const metricHistory = withRun({
  metric_key: fields.required,
  max_results: fields.maxResults(25_000, 25_000),
  page_token: fields.optionalText,
});

export const metricHistoryBulk = z.object({
  run_id: fields.queryList.pipe(z.array(z.string()).min(1).max(100)),
  metric_key: fields.required,
  max_results: fields.maxResults(25_000, 25_000),
});

export const metricHistoryInterval = z
  .object({
    run_ids: fields.queryList.pipe(z.array(z.string()).min(1).max(100)),
    metric_key: fields.required,
    start_step: fields.optionalInteger,
    end_step: fields.optionalInteger,
    max_results: fields.maxResults(2500, 2500),
  })
  .refine(({ start_step, end_step }) => (start_step === undefined) === (end_step === undefined), {
    message: 'start_step and end_step are given together or not at all',
  })
  .refine(({ start_step = 0, end_step = 0 }) => start_step <= end_step, {
    message: 'end_step is smaller than start_step',
  });

export const listRunArtifacts = withRun({ path: fields.optionalText });

export const getArtifact = withRun({ path: fields.required });
