import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { EventRef, Horizon } from '../timeline/ledger-event';
import type { EdgeKind } from './edges-of-event';
import { BEGINNINGS, EDGES_FROM, EDGES_TO, EVENTS_OUT_OF } from './lineage.sql';

/** An edge and the event that drew it. `from` is empty where the event begins the node. */
export interface KnownEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
  readonly event: EventRef | null;
}

@Injectable()
export class LineageQueries {
  constructor(private readonly dataSource: DataSource) {}

  /** Edges that end in one of these nodes, but for those that begin it. */
  into(tenant: string, nodes: readonly string[], horizon: Horizon, limit: number): Promise<KnownEdge[]> {
    return this.edges(EDGES_TO, tenant, nodes, horizon, limit);
  }

  /** Edges that start at one of these nodes. */
  outOf(tenant: string, nodes: readonly string[], horizon: Horizon, limit: number): Promise<KnownEdge[]> {
    return this.edges(EDGES_FROM, tenant, nodes, horizon, limit);
  }

  /** Ids of the events that drew edges of these kinds out of a node since a time, the oldest first. */
  async eventsOutOf(
    tenant: string,
    out: { node: string; kinds: readonly EdgeKind[]; since: string; limit: number },
  ): Promise<string[]> {
    const parameters = [tenant, out.node, out.kinds, out.since, out.limit];
    const rows = (await this.dataSource.query(EVENTS_OUT_OF, parameters)) as { eventId: string }[];
    return rows.map(({ eventId }) => eventId);
  }

  /** Edges without a start: what began these nodes. */
  beginnings(tenant: string, nodes: readonly string[], horizon: Horizon): Promise<KnownEdge[]> {
    return this.edges(BEGINNINGS, tenant, nodes, horizon, nodes.length * 2);
  }

  private edges(sql: string, tenant: string, nodes: readonly string[], { time, position }: Horizon, limit: number) {
    return this.dataSource.query<KnownEdge[]>(sql, [tenant, time, position, nodes, limit]);
  }
}
