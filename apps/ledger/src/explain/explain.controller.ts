import { Controller, Get, Query } from '@nestjs/common';
import { ApiError, Caller, parse } from '@mledger/service-kit';
import { explainQuery } from '../api/ledger.schemas';
import { PredictionIndex } from '../predictions/prediction-index';
import { EventLookup } from '../timeline/event-lookup';
import { parseHorizon } from '../timeline/ledger-event';
import { TimelineOrder } from '../timeline/timeline-order';
import { explain } from './explanation';
import { GatherEvidence } from './gather-evidence';
import { storyOf } from './story';

/** Why a prediction was as it was: which model, by whose decision, on what evidence, from which data. */
@Controller('api/mledger/v1/explain')
export class ExplainController {
  constructor(
    private readonly predictions: PredictionIndex,
    private readonly evidence: GatherEvidence,
    private readonly events: EventLookup,
    private readonly order: TimelineOrder,
  ) {}

  @Get()
  async explain(@Query() query: unknown, @Caller() { tenant }: Caller): Promise<object> {
    const { request, asOf } = parse(explainQuery, query, 'query');
    const horizon = parseHorizon(asOf);
    const unready = await this.order.unreadyReason();
    if (unready !== undefined) throw ApiError.unavailable(unready);
    const prediction = await this.predictions.get(tenant, request);
    const until = await this.events.timeOf(horizon);
    if (until !== null && prediction.payload.time > until)
      throw ApiError.notFound(
        `There was no prediction ${request} as of ${asOf}: it was made at ${prediction.payload.time}`,
      );
    const explanation = explain(await this.evidence.gather(tenant, prediction, horizon));
    return { request: prediction.requestId, asOf: asOf ?? null, ...explanation, story: storyOf(explanation) };
  }
}
