import { Controller, Get, Query, UseInterceptors } from '@nestjs/common';
import { ApiError, Caller, parse } from '@mledger/service-kit';
import { MetricQueries, type RunMetricView } from '../queries/metric.queries';
import { RunQueries } from '../queries/run.queries';
import { metricAnswer } from './answers';
import { DefaultExperiment } from './default-experiment.interceptor';
import * as schemas from './run.schemas';

/** `metrics/*` of MLflow's REST API. */
@Controller(['api/2.0/mlflow/metrics', 'ajax-api/2.0/mlflow/metrics'])
@UseInterceptors(DefaultExperiment)
export class MetricsController {
  constructor(
    private readonly metrics: MetricQueries,
    private readonly runs: RunQueries,
  ) {}

  @Get('get-history')
  async history(@Query() query: unknown, @Caller() { tenant }: Caller): Promise<object> {
    const {
      run_id: runId,
      metric_key: key,
      max_results: maxResults,
      page_token: pageToken,
    } = parse(schemas.metricHistory, query, 'query');
    const { items, nextPageToken } = await this.metrics.history({ tenant, runId, key, maxResults, pageToken });
    if (items.length === 0 && !(await this.runs.standing(tenant, runId))) {
      throw ApiError.notFound(`Run with id=${runId} not found`);
    }
    return { metrics: items.map(metricAnswer), ...(nextPageToken && { next_page_token: nextPageToken }) };
  }

  @Get('get-history-bulk')
  async historyBulk(@Query() query: unknown, @Caller() { tenant }: Caller): Promise<object> {
    const {
      run_id: runIds,
      metric_key: key,
      max_results: maxResults,
    } = parse(schemas.metricHistoryBulk, query, 'query');
    const points = await this.metrics.historyOfRuns({ tenant, runIds, key, maxResults });
    return { metrics: points.map(runMetricAnswer) };
  }

  @Get('get-history-bulk-interval')
  async historyInterval(@Query() query: unknown, @Caller() { tenant }: Caller): Promise<object> {
    const message = parse(schemas.metricHistoryInterval, query, 'query');
    const { start_step: start, end_step: end } = message;
    const points = await this.metrics.sample({
      tenant,
      runIds: [...new Set(message.run_ids)],
      key: message.metric_key,
      maxResults: message.max_results,
      steps: start === undefined || end === undefined ? undefined : { start, end },
    });
    return { metrics: points.map(runMetricAnswer) };
  }
}

function runMetricAnswer(point: RunMetricView): object {
  return { ...metricAnswer(point), run_id: point.run_id };
}
