import { Body, Controller, Get, HttpCode, Post, Query, UseInterceptors } from '@nestjs/common';
import { ApiError, Caller, commandContext, parse } from '@mledger/service-kit';
import { DEFAULT_EXPERIMENT } from '../experiment/experiment';
import { RunQueries, type RunView } from '../queries/run.queries';
import { RunHandler } from '../run/run.handler';
import { StartRunHandler } from '../run/start-run.handler';
import { runAnswer, runInfoAnswer } from './answers';
import { DefaultExperiment } from './default-experiment.interceptor';
import * as schemas from './run.schemas';

/** The life of a run in MLflow's REST API: `runs/create`, `update`, `delete`, `restore`, `get`, `search`. */
@Controller(['api/2.0/mlflow/runs', 'ajax-api/2.0/mlflow/runs'])
@UseInterceptors(DefaultExperiment)
export class RunsController {
  constructor(
    private readonly starts: StartRunHandler,
    private readonly runs: RunHandler,
    private readonly queries: RunQueries,
  ) {}

  @Post('create')
  @HttpCode(200)
  async create(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const message = parse(schemas.createRun, body);
    const input = {
      experimentId: message.experiment_id ?? DEFAULT_EXPERIMENT.experimentId,
      name: message.run_name,
      userId: message.user_id,
      startTime: message.start_time,
      tags: message.tags,
    };
    const runId = await this.starts.start(input, commandContext(caller));
    return { run: runAnswer(await this.run(caller, runId)) };
  }

  @Post('update')
  @HttpCode(200)
  async update(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { run_id: runId, status, end_time: endTime, run_name: name } = parse(schemas.updateRun, body);
    await this.runs.update(runId, { status, endTime, name }, commandContext(caller));
    return { run_info: runInfoAnswer(await this.run(caller, runId)) };
  }

  @Post('delete')
  @HttpCode(200)
  async delete(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { run_id: runId } = parse(schemas.byRun, body);
    await this.runs.setDeleted(runId, 'DeleteRun', commandContext(caller));
    return {};
  }

  @Post('restore')
  @HttpCode(200)
  async restore(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { run_id: runId } = parse(schemas.byRun, body);
    await this.runs.setDeleted(runId, 'RestoreRun', commandContext(caller));
    return {};
  }

  @Get('get')
  async get(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { run_id: runId } = parse(schemas.byRun, query, 'query');
    return { run: runAnswer(await this.run(caller, runId)) };
  }

  @Post('search')
  @HttpCode(200)
  async search(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const message = parse(schemas.searchRuns, body);
    const { items, nextPageToken } = await this.queries.search({
      tenant: caller.tenant,
      experimentIds: message.experiment_ids,
      filter: message.filter,
      view: message.run_view_type ?? 'ACTIVE_ONLY',
      orderBy: message.order_by,
      maxResults: message.max_results,
      pageToken: message.page_token,
    });
    return { runs: items.map(runAnswer), ...(nextPageToken && { next_page_token: nextPageToken }) };
  }

  private async run({ tenant }: Caller, runId: string): Promise<RunView> {
    const run = await this.queries.find(tenant, runId);
    if (!run) throw ApiError.notFound(`Run with id=${runId} not found`);
    return run;
  }
}
