import { Module } from '@nestjs/common';
import type { ServiceDefinition } from '@mledger/service-kit';
import { ArtifactHandler } from './artifact/artifact.handler';
import { ArtifactOwners } from './artifact/artifact-owners';
import { Uploads } from './artifact/uploads';
import { ExperimentHandler } from './experiment/experiment.handler';
import { LoggedModelHandler } from './logged-model/logged-model.handler';
import { ExperimentsWorkingState1764000000000 } from './migrations/working-state.migration';
import { ArtifactProxyController } from './mlflow/artifact-proxy.controller';
import { ExperimentsController } from './mlflow/experiments.controller';
import { LoggedModelsController } from './mlflow/logged-models.controller';
import { MetricsController } from './mlflow/metrics.controller';
import { RootController } from './mlflow/root.controller';
import { RunArtifactsController } from './mlflow/run-artifacts.controller';
import { RunDataController } from './mlflow/run-data.controller';
import { RunsController } from './mlflow/runs.controller';
import { artifactProjection } from './projections/artifact.projection';
import { experimentProjection } from './projections/experiment.projection';
import { loggedModelProjection } from './projections/logged-model.projection';
import { latestMetricProjection, metricPointProjection, modelMetricProjection } from './projections/metric.projections';
import { runDatasetProjection, runProjection } from './projections/run.projection';
import { ArtifactQueries } from './queries/artifact.queries';
import { ExperimentQueries } from './queries/experiment.queries';
import { LoggedModelQueries } from './queries/logged-model.queries';
import { MetricQueries } from './queries/metric.queries';
import { RunQueries } from './queries/run.queries';
import { ActiveRuns } from './run/active-runs';
import { RunHandler } from './run/run.handler';
import { StartRunHandler } from './run/start-run.handler';

@Module({
  controllers: [
    RootController,
    ExperimentsController,
    RunsController,
    RunDataController,
    MetricsController,
    RunArtifactsController,
    LoggedModelsController,
    ArtifactProxyController,
  ],
  providers: [
    ExperimentHandler,
    StartRunHandler,
    RunHandler,
    ActiveRuns,
    LoggedModelHandler,
    ArtifactHandler,
    ArtifactOwners,
    Uploads,
    ExperimentQueries,
    RunQueries,
    MetricQueries,
    LoggedModelQueries,
    ArtifactQueries,
  ],
})
export class ExperimentsModule {}

/** Experiments, runs, metrics, artifacts and logged models: MLflow's tracking server on the ledger. */
export const experimentsService: ServiceDefinition = {
  name: 'experiments',
  module: ExperimentsModule,
  projections: [
    experimentProjection,
    runProjection,
    runDatasetProjection,
    metricPointProjection,
    latestMetricProjection,
    modelMetricProjection,
    loggedModelProjection,
    artifactProjection,
  ],
  migrations: [ExperimentsWorkingState1764000000000],
};
