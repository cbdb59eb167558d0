import { Body, Controller, Get, HttpCode, Post, Query, UseInterceptors } from '@nestjs/common';
import { ApiError, Caller, commandContext, parse } from '@mledger/service-kit';
import type { ExperimentCommand } from '../experiment/experiment';
import { ExperimentHandler } from '../experiment/experiment.handler';
import { ExperimentQueries, type ExperimentView } from '../queries/experiment.queries';
import { RunQueries, type View } from '../queries/run.queries';
import { experimentAnswer } from './answers';
import { DefaultExperiment } from './default-experiment.interceptor';
import * as schemas from './experiment.schemas';

/** `experiments/*` of MLflow's REST API. */
@Controller(['api/2.0/mlflow/experiments', 'ajax-api/2.0/mlflow/experiments'])
@UseInterceptors(DefaultExperiment)
export class ExperimentsController {
  constructor(
    private readonly experiments: ExperimentHandler,
    private readonly queries: ExperimentQueries,
    private readonly runs: RunQueries,
  ) {}

  @Post('create')
  @HttpCode(200)
  async create(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, artifact_location: artifactLocation, tags } = parse(schemas.createExperiment, body);
    const experimentId = await this.experiments.create({ name, artifactLocation, tags }, commandContext(caller));
    return { experiment_id: experimentId };
  }

  @Get('get')
  async get(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { experiment_id: id } = parse(schemas.byExperiment, query, 'query');
    return found(await this.queries.find(caller.tenant, id), `No Experiment with id=${id} exists`);
  }

  @Get('get-by-name')
  async getByName(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { experiment_name: name } = parse(schemas.byExperimentName, query, 'query');
    return found(await this.queries.findByName(caller.tenant, name), `Could not find experiment with name '${name}'`);
  }

  @Get('search')
  async searchByQuery(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    return this.find(parse(schemas.searchExperimentsQuery, query, 'query'), caller);
  }

  @Post('search')
  @HttpCode(200)
  async search(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    return this.find(parse(schemas.searchExperiments, body ?? {}), caller);
  }

  @Post('search-datasets')
  @HttpCode(200)
  async searchDatasets(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { experiment_ids: ids } = parse(schemas.searchDatasets, body);
    const rows = await this.runs.datasetSummaries(caller.tenant, ids);
    return { dataset_summaries: rows.map(({ context, ...row }) => ({ ...row, ...(context !== null && { context }) })) };
  }

  @Post('update')
  @HttpCode(200)
  async update(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { experiment_id: id, new_name: name } = parse(schemas.updateExperiment, body);
    await this.experiments.rename(id, name, commandContext(caller));
    return {};
  }

  @Post('delete')
  @HttpCode(200)
  async delete(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { experiment_id: experimentId } = parse(schemas.byExperiment, body);
    return this.issue({ type: 'DeleteExperiment', experimentId }, caller);
  }

  @Post('restore')
  @HttpCode(200)
  async restore(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { experiment_id: experimentId } = parse(schemas.byExperiment, body);
    return this.issue({ type: 'RestoreExperiment', experimentId }, caller);
  }

  @Post('set-experiment-tag')
  @HttpCode(200)
  async setTag(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { experiment_id: experimentId, key, value } = parse(schemas.setExperimentTag, body);
    return this.issue({ type: 'TagExperiment', experimentId, tags: [{ key, value }] }, caller);
  }

  @Post('delete-experiment-tag')
  @HttpCode(200)
  async deleteTag(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { experiment_id: experimentId, key } = parse(schemas.deleteExperimentTag, body);
    return this.issue({ type: 'RemoveExperimentTag', experimentId, key }, caller);
  }

  private async issue(command: ExperimentCommand, caller: Caller): Promise<object> {
    await this.experiments.issue(command, commandContext(caller));
    return {};
  }

  private async find(message: SearchMessage, { tenant }: Caller): Promise<object> {
    const { items, nextPageToken } = await this.queries.search({
      tenant,
      filter: message.filter,
      view: message.view_type ?? 'ACTIVE_ONLY',
      orderBy: message.order_by,
      maxResults: message.max_results,
      pageToken: message.page_token,
    });
    return { experiments: items.map(experimentAnswer), ...(nextPageToken && { next_page_token: nextPageToken }) };
  }
}

interface SearchMessage {
  readonly filter?: string;
  readonly view_type?: View;
  readonly order_by: readonly string[];
  readonly max_results: number;
  readonly page_token?: string;
}

function found(experiment: ExperimentView | undefined, message: string): object {
  if (!experiment) throw ApiError.notFound(message);
  return { experiment: experimentAnswer(experiment) };
}
