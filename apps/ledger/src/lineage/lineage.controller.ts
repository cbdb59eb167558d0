import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiError, Caller, parse } from '@mledger/service-kit';
import { lineageQuery } from '../api/ledger.schemas';
import { PredictionIndex, type IndexedPrediction } from '../predictions/prediction-index';
import { SealProof } from '../predictions/seal-proof';
import { EventLookup } from '../timeline/event-lookup';
import { parseHorizon, refOf, type Horizon } from '../timeline/ledger-event';
import { namesIn, nodesOf, walk, type Reach } from './lineage-graph';
import { LineageQueries, type KnownEdge } from './lineage-queries';
import { kindOf, node, NODE_KINDS } from './nodes';

const EDGES_MAX = 1_000;

/** What led to a thing, and what came of it, as far as the events say. */
@Controller('api/mledger/v1/lineage')
export class LineageController {
  constructor(
    private readonly lineage: LineageQueries,
    private readonly predictions: PredictionIndex,
    private readonly seals: SealProof,
    private readonly events: EventLookup,
  ) {}

  @Get('*')
  async get(@Param('*') name: string, @Query() query: unknown, @Caller() { tenant }: Caller): Promise<object> {
    const { asOf, direction, depth } = parse(lineageQuery, query, 'query');
    const kind = kindOf(name);
    if (kind === undefined)
      throw ApiError.invalid(`a node is named <kind>:<name>, the kind one of ${NODE_KINDS.join(', ')}`);
    const horizon = parseHorizon(asOf);
    const answered = kind === 'request' ? await this.answeredBy(tenant, name, horizon) : [];
    const bounds = { depth, edgesMax: EDGES_MAX };
    const nothing: Reach = { edges: [], truncated: false };
    const upstream =
      direction === 'downstream'
        ? nothing
        : await walk(name, 'upstream', bounds, async (ring, limit) => [
            ...(ring.includes(name) ? answered : []),
            ...(await this.lineage.into(tenant, ring, horizon, limit)),
          ]);
    const downstream =
      direction === 'upstream'
        ? nothing
        : await walk(name, 'downstream', bounds, (ring, limit) => this.lineage.outOf(tenant, ring, horizon, limit));
    const edges = [...upstream.edges, ...downstream.edges];
    const names = namesIn(name, edges);
    const beginnings = await this.lineage.beginnings(tenant, names, horizon);
    if (edges.length === 0 && beginnings.length === 0)
      throw ApiError.notFound(`There is no ${name}${asOf === undefined ? '' : ` as of ${asOf}`}`);
    return {
      ...{ node: name, asOf: asOf ?? null },
      ...{ nodes: nodesOf(names, beginnings), edges },
      truncated: upstream.truncated || downstream.truncated,
    };
  }

  /** A prediction is no event; its edge rests on the seal over it, once there is one. */
  private async answeredBy(tenant: string, name: string, horizon: Horizon): Promise<KnownEdge[]> {
    const prediction = await this.predictions.get(tenant, name.slice('request:'.length));
    if (!(await this.isMade(prediction, horizon))) return [];
    const seal = await this.seals.find(tenant, prediction, horizon);
    const { endpoint, revision } = prediction.payload;
    const event = seal.status === 'not-sealed-yet' ? null : refOf(seal.event);
    return [{ from: node.revision(endpoint, revision), to: name, kind: 'answered', event }];
  }

  private async isMade({ payload }: IndexedPrediction, horizon: Horizon): Promise<boolean> {
    const until = await this.events.timeOf(horizon);
    return until === null || payload.time <= until;
  }
}
