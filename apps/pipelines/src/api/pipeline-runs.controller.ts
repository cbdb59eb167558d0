import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Query, StreamableFile } from '@nestjs/common';
import type { ObjectStore } from '@mledger/object-store';
import { ApiError, Caller, commandContext, OBJECT_STORE, parse } from '@mledger/service-kit';
import { StepRunner } from '../executor/step-runner';
import { PipelineHandler } from '../pipeline/pipeline.handler';
import { PipelineQueries, type PipelineRun } from '../projections/pipeline-queries';
import * as schemas from './pipelines.schemas';

/** What became of a run, its steps' logs, and its end before its time. */
@Controller('api/mledger/v1/pipeline-runs/:id')
export class PipelineRunsController {
  constructor(
    private readonly pipelines: PipelineHandler,
    private readonly queries: PipelineQueries,
    private readonly runner: StepRunner,
    @Inject(OBJECT_STORE) private readonly objects: ObjectStore,
  ) {}

  @Get()
  async get(@Param('id') pipelineRunId: string, @Caller() caller: Caller): Promise<PipelineRun> {
    const run = await this.queries.run(caller.tenant, pipelineRunId);
    if (run === undefined) throw ApiError.notFound(`There is no pipeline run ${pipelineRunId}`);
    return run;
  }

  /** What one attempt of a step printed; while it runs in this process, so far. */
  @Get('logs')
  @Header('x-content-type-options', 'nosniff')
  @Header('content-security-policy', 'sandbox')
  async logs(
    @Param('id') pipelineRunId: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
  ): Promise<StreamableFile> {
    const asked = parse(schemas.logQuery, query, 'query');
    const { steps } = await this.get(pipelineRunId, caller);
    const step = steps.find(({ name }) => name === asked.step);
    if (step === undefined) throw ApiError.notFound(`Pipeline run ${pipelineRunId} has no step ${asked.step}`);
    const attempt = asked.attempt === undefined ? step.attempts.at(-1) : step.attempts[asked.attempt - 1];
    if (attempt === undefined)
      throw ApiError.notFound(`Step ${step.name} has not been started ${asked.attempt ?? 'yet'}`);
    const type = 'text/plain; charset=utf-8';
    if (attempt.log === null) {
      const live = await this.runner.liveLog(pipelineRunId, step.name, attempt.attempt);
      if (live !== undefined) return new StreamableFile(live, { type });
      if (attempt.endedAt !== null) return new StreamableFile(Buffer.alloc(0), { type });
      throw ApiError.notFound(
        `Step ${step.name} is not run by this process, or ends just now: its log can be read when it has ended`,
      );
    }
    const { body, sizeBytes } = await this.objects.get(attempt.log.objectKey);
    return new StreamableFile(body, { type, length: sizeBytes });
  }

  @Post('cancel')
  @HttpCode(200)
  async cancel(
    @Param('id') pipelineRunId: string,
    @Body() body: unknown,
    @Caller() caller: Caller,
  ): Promise<PipelineRun> {
    const { reason } = parse(schemas.cancel, body);
    await this.pipelines.toRun(pipelineRunId, { type: 'CancelRun', message: reason }, commandContext(caller));
    return this.get(pipelineRunId, caller);
  }
}
