import { Module } from '@nestjs/common';
import type { ServiceDefinition } from '@mledger/service-kit';
import { PipelineRunsController } from './api/pipeline-runs.controller';
import { PipelinesController } from './api/pipelines.controller';
import { RunExecutor } from './executor/run-executor';
import { StepRunner } from './executor/step-runner';
import { PipelineHandler } from './pipeline/pipeline.handler';
import { PipelineQueries } from './projections/pipeline-queries';
import { pipelineRunsProjection } from './projections/pipeline-runs.projection';
import { pipelinesProjection } from './projections/pipelines.projection';
import { BeginRunWhenTriggerFired } from './reactions/begin-run-when-trigger-fired.reaction';
import { StartRetrainingWhenDriftDetected } from './reactions/start-retraining-when-drift-detected.reaction';

@Module({
  controllers: [PipelinesController, PipelineRunsController],
  providers: [
    PipelineHandler,
    PipelineQueries,
    StepRunner,
    RunExecutor,
    StartRetrainingWhenDriftDetected,
    BeginRunWhenTriggerFired,
  ],
})
export class PipelinesModule {}

/** Pipelines, their runs, what triggers them, and the processes of their steps. */
export const pipelinesService: ServiceDefinition = {
  name: 'pipelines',
  module: PipelinesModule,
  projections: [pipelinesProjection, pipelineRunsProjection],
  reactions: [StartRetrainingWhenDriftDetected, BeginRunWhenTriggerFired],
};
