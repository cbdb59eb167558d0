import { Module } from '@nestjs/common';
import type { ServiceDefinition } from '@mledger/service-kit';
import { AliasesController } from './api/aliases.controller';
import { PromotionsController } from './api/promotions.controller';
import { ModelVersionsController } from './mlflow/model-versions.controller';
import { RegisteredModelsController } from './mlflow/registered-models.controller';
import { VersionArtifactController } from './mlflow/version-artifact.controller';
import { aliasHistoryProjection } from './projections/alias-history.projection';
import { ModelQueries } from './projections/model-queries';
import { modelVersionsProjection } from './projections/model-versions.projection';
import { modelsProjection } from './projections/models.projection';
import { PromotionQueries } from './projections/promotion-queries';
import { promotionsProjection } from './projections/promotions.projection';
import { PromotionHandler } from './registered-model/promotion.handler';
import { RegisteredModelHandler } from './registered-model/registered-model.handler';
import { Arrivals } from './sources/arrivals';
import { knownPipelines } from './sources/known-pipelines.read-model';
import { ModelSources } from './sources/model-sources';
import { sourceFiles } from './sources/source-files.read-model';
import { sourceLoggedModels } from './sources/source-logged-models.read-model';
import { sourceMetrics } from './sources/source-metrics.read-model';
import { sourceRuns } from './sources/source-runs.read-model';

@Module({
  controllers: [
    RegisteredModelsController,
    ModelVersionsController,
    VersionArtifactController,
    PromotionsController,
    AliasesController,
  ],
  providers: [RegisteredModelHandler, PromotionHandler, Arrivals, ModelSources, ModelQueries, PromotionQueries],
})
export class RegistryModule {}

/** Registered models, versions, aliases, gates and promotions. */
export const registryService: ServiceDefinition = {
  name: 'registry',
  module: RegistryModule,
  projections: [modelsProjection, modelVersionsProjection, aliasHistoryProjection, promotionsProjection],
  readModels: [sourceRuns, sourceMetrics, sourceLoggedModels, sourceFiles, knownPipelines],
};
