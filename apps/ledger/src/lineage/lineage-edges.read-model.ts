import type { ReadModel } from '@mledger/event-bus';
import type { Recorded } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { edgesOfEvent, LINEAGE_TYPES, type EdgeKind } from './edges-of-event';

/** An edge of the lineage graph, and the event that drew it. */
@Entity({ name: 'lineage_edges' })
@Index(['tenant', 'fromNode', 'kind', 'time'])
export class LineageEdgeRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'to_node' })
  toNode!: string;
  /** Empty: the event begins the node. */
  @PrimaryColumn('text', { name: 'from_node' })
  fromNode!: string;
  @PrimaryColumn('text')
  kind!: EdgeKind;
  @PrimaryColumn('uuid', { name: 'event_id' })
  eventId!: string;
  @Column('text')
  time!: string;
}

export const lineageEdges: ReadModel<LineageEdgeRow> = {
  name: 'lineage_edges',
  mode: 'async',
  entity: LineageEdgeRow,
  from: ['versioning', 'experiments', 'registry', 'serving', 'monitoring', 'pipelines'],
  types: LINEAGE_TYPES,
  project: (event) => {
    const { tenant, id: eventId, time } = event;
    const edges = edgesOfEvent(event as Recorded as Parameters<typeof edgesOfEvent>[0]);
    return edges.map(({ from: fromNode, to: toNode, kind }) => ({
      put: { tenant, toNode, fromNode, kind, eventId, time },
    }));
  },
};
