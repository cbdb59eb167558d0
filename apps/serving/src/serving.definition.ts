import { Module } from '@nestjs/common';
import type { ServiceDefinition } from '@mledger/service-kit';
import { EndpointsController } from './api/endpoints.controller';
import { EndpointDirectory } from './endpoint/endpoint-directory';
import { EndpointHandler } from './endpoint/endpoint.handler';
import { ModelLoader } from './inference/model-loader';
import { Predictor } from './inference/predictor';
import { ServingAliasHoldersById1764200000000 } from './migrations/alias-holders-by-id.migration';
import { ServingWorkingState1763900000000 } from './migrations/working-state.migration';
import { InvocationsController } from './mlflow/invocations.controller';
import { OipController } from './oip/oip.controller';
import { GatherPredictions } from './payloads/gather-predictions.handler';
import { PayloadPublisher } from './payloads/payload-publisher';
import { PredictionSealer } from './payloads/prediction-sealer';
import { endpointsProjection } from './projections/endpoints.projection';
import { registryModels } from './projections/registry-models.read-model';
import { registryVersions } from './projections/registry-versions.read-model';
import { DeployWhenAliasMoved } from './reactions/deploy-when-alias-moved.reaction';

@Module({
  controllers: [EndpointsController, OipController, InvocationsController],
  providers: [
    EndpointDirectory,
    EndpointHandler,
    ModelLoader,
    Predictor,
    PayloadPublisher,
    PredictionSealer,
    GatherPredictions,
    DeployWhenAliasMoved,
  ],
})
export class ServingModule {}

/** Endpoints, their revisions, and predictions over the Open Inference Protocol and MLflow's scoring protocol. */
export const servingService: ServiceDefinition = {
  name: 'serving',
  module: ServingModule,
  projections: [endpointsProjection],
  readModels: [registryModels, registryVersions],
  reactions: [DeployWhenAliasMoved],
  payloadHandlers: [GatherPredictions],
  migrations: [ServingWorkingState1763900000000, ServingAliasHoldersById1764200000000],
};
