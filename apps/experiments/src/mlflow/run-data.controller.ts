import type { MetricPoint } from '@mledger/contracts';
import { Body, Controller, HttpCode, Post, UseInterceptors } from '@nestjs/common';
import { ApiError, Caller, commandContext, parse } from '@mledger/service-kit';
import { RunHandler } from '../run/run.handler';
import { DefaultExperiment } from './default-experiment.interceptor';
import * as schemas from './run.schemas';

/** What is logged to a run in MLflow's REST API: params, metrics, tags, inputs, outputs. */
@Controller(['api/2.0/mlflow/runs', 'ajax-api/2.0/mlflow/runs'])
@UseInterceptors(DefaultExperiment)
export class RunDataController {
  constructor(private readonly runs: RunHandler) {}

  @Post('log-batch')
  @HttpCode(200)
  async logBatch(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { run_id: runId, metrics, params, tags } = parse(schemas.logBatch, body);
    await this.runs.logBatch(runId, { metrics: metrics.map(pointOf), params, tags }, commandContext(caller));
    return {};
  }

  @Post('log-metric')
  @HttpCode(200)
  async logMetric(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { run_id: runId, ...metric } = parse(schemas.logMetric, body);
    await this.runs.logBatch(runId, { metrics: [pointOf(metric)], params: [], tags: [] }, commandContext(caller));
    return {};
  }

  @Post('log-parameter')
  @HttpCode(200)
  async logParam(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { run_id: runId, key, value } = parse(schemas.logParam, body);
    await this.runs.logBatch(runId, { metrics: [], params: [{ key, value }], tags: [] }, commandContext(caller));
    return {};
  }

  @Post('set-tag')
  @HttpCode(200)
  async setTag(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { run_id: runId, key, value } = parse(schemas.setTag, body);
    await this.runs.logBatch(runId, { metrics: [], params: [], tags: [{ key, value }] }, commandContext(caller));
    return {};
  }

  @Post('delete-tag')
  @HttpCode(200)
  async deleteTag(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { run_id: runId, key } = parse(schemas.deleteTag, body);
    await this.runs.write({ type: 'RemoveRunTag', runId, key }, commandContext(caller));
    return {};
  }

  /** Clients before 3.0 tell of a model this way; it becomes an entry of the run's tag `mlflow.log-model.history`. */
  @Post('log-model')
  @HttpCode(200)
  async logModel(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { run_id: runId, model_json: json } = parse(schemas.logModel, body);
    const { artifact_path, flavors, utc_time_created, run_id, model_uuid } = parse(schemas.modelJson, jsonOf(json));
    const model = { artifact_path, flavors: withoutConfig(flavors), utc_time_created, run_id, model_uuid };
    await this.runs.write({ type: 'RecordModel', runId, model }, commandContext(caller));
    return {};
  }

  @Post('log-inputs')
  @HttpCode(200)
  async logInputs(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { run_id: runId, datasets, models } = parse(schemas.logInputs, body);
    const command = {
      type: 'LogInputs',
      runId,
      datasets: datasets.map(({ dataset: { source_type: sourceType, ...dataset }, tags }) => ({
        ...dataset,
        sourceType,
        tags,
      })),
      models: models.map(({ model_id: modelId }) => ({ modelId })),
    } as const;
    await this.runs.link(command, commandContext(caller));
    return {};
  }

  @Post('outputs')
  @HttpCode(200)
  async logOutputs(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { run_id: runId, models } = parse(schemas.logOutputs, body);
    const linked = models.map(({ model_id: modelId, step = 0 }) => ({ modelId, step }));
    await this.runs.link({ type: 'LogOutputs', runId, models: linked }, commandContext(caller));
    return {};
  }
}

function pointOf(metric: schemas.MetricMessage): MetricPoint {
  const {
    key,
    value,
    timestamp,
    step = 0,
    model_id: modelId,
    dataset_name: datasetName,
    dataset_digest: datasetDigest,
  } = metric;
  return { key, value, timestamp, step, modelId, datasetName, datasetDigest };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw ApiError.invalid('Malformed model info: model_json is not valid JSON.');
  }
}

/** A flavor's own configuration may be large, and MLflow leaves it out of the tag too. */
function withoutConfig(flavors: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(flavors).map(([name, flavor]) => {
      if (typeof flavor !== 'object' || flavor === null) return [name, flavor];
      return [name, Object.fromEntries(Object.entries(flavor).filter(([key]) => key !== 'config'))];
    }),
  );
}
