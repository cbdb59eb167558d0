import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiError, Caller, commandContext, parse } from '@mledger/service-kit';
import { PipelineHandler } from '../pipeline/pipeline.handler';
import { PipelineQueries, type Pipeline, type PipelineRun } from '../projections/pipeline-queries';
import * as schemas from './pipelines.schemas';

/** Pipelines and the start of their runs. */
@Controller('api/mledger/v1/pipelines')
export class PipelinesController {
  constructor(
    private readonly pipelines: PipelineHandler,
    private readonly queries: PipelineQueries,
  ) {}

  @Get()
  async list(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const page = parse(schemas.page, query, 'query');
    const rows = await this.queries.pipelines(caller.tenant, page);
    const pipelines = rows.slice(0, page.limit);
    return { pipelines, next: rows.length > page.limit ? pipelines.at(-1)!.name : null };
  }

  @Get(':name')
  async get(@Param('name') name: string, @Caller() caller: Caller): Promise<Pipeline> {
    return this.pipeline(caller, name);
  }

  @Put(':name')
  async define(@Param('name') rawName: string, @Body() body: unknown, @Caller() caller: Caller): Promise<Pipeline> {
    const name = parse(schemas.pipelineName, rawName, 'name');
    const definition = parse(schemas.definition, body);
    await this.pipelines.define(name, definition, commandContext(caller));
    return this.pipeline(caller, name);
  }

  @Delete(':name')
  @HttpCode(204)
  async delete(@Param('name') name: string, @Caller() caller: Caller): Promise<void> {
    await this.pipelines.delete(name, commandContext(caller));
  }

  @Post(':name/runs')
  async trigger(@Param('name') name: string, @Body() body: unknown, @Caller() caller: Caller): Promise<PipelineRun> {
    parse(schemas.trigger, body);
    const pipelineRunId = await this.pipelines.triggerByName(name, commandContext(caller));
    const run = await this.queries.run(caller.tenant, pipelineRunId);
    if (run === undefined) throw new Error(`run ${pipelineRunId} was triggered and is not there`);
    return run;
  }

  @Get(':name/runs')
  async runs(@Param('name') name: string, @Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { limit, after } = parse(schemas.page, query, 'query');
    const { pipelineId } = await this.pipeline(caller, name);
    const rows = await this.queries.runs(caller.tenant, { pipelineId, limit, after });
    const runs = rows.slice(0, limit);
    return { runs, next: rows.length > limit ? runs.at(-1)!.pipelineRunId : null };
  }

  private async pipeline(caller: Caller, name: string): Promise<Pipeline> {
    const pipeline = await this.queries.pipeline(caller.tenant, name);
    if (pipeline === undefined) throw ApiError.notFound(`There is no pipeline ${name}`);
    return pipeline;
  }
}
