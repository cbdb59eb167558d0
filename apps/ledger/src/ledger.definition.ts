import { Module } from '@nestjs/common';
import type { ServiceDefinition } from '@mledger/service-kit';
import { ExplainController } from './explain/explain.controller';
import { GatherEvidence } from './explain/gather-evidence';
import { lineageEdges } from './lineage/lineage-edges.read-model';
import { LineageController } from './lineage/lineage.controller';
import { LineageQueries } from './lineage/lineage-queries';
import { LedgerWorkingState1764100000000 } from './migrations/working-state.migration';
import { IndexPredictions } from './predictions/index-predictions.handler';
import { PredictionIndex } from './predictions/prediction-index';
import { predictionSeals } from './predictions/prediction-seals.read-model';
import { SealProof } from './predictions/seal-proof';
import { EventLookup } from './timeline/event-lookup';
import { EventsController } from './timeline/events.controller';
import { LiveFeed } from './timeline/live-feed';
import { TimelineOrder } from './timeline/timeline-order';
import { TimelineQueries } from './timeline/timeline-queries';
import { timeline } from './timeline/timeline.read-model';
import { KeepCheckpoints } from './verify/keep-checkpoints.handler';
import { VerifyController } from './verify/verify.controller';
import { VerifyCopy } from './verify/verify-copy';
import { VerifySeals } from './verify/verify-seals';

@Module({
  controllers: [EventsController, ExplainController, LineageController, VerifyController],
  providers: [
    ...[TimelineOrder, TimelineQueries, EventLookup, LiveFeed],
    ...[IndexPredictions, PredictionIndex, SealProof],
    ...[LineageQueries, GatherEvidence],
    ...[KeepCheckpoints, VerifySeals, VerifyCopy],
  ],
})
export class LedgerModule {}

/** The events of every service in one timeline: audit, live feed, lineage, and why a prediction was as it was. */
export const ledgerService: ServiceDefinition = {
  name: 'ledger',
  module: LedgerModule,
  projections: [],
  readModels: [timeline, lineageEdges, predictionSeals],
  payloadHandlers: [IndexPredictions, KeepCheckpoints],
  migrations: [LedgerWorkingState1764100000000],
};
