import type { MonitorEvent } from '@mledger/contracts';
import type { Projection, Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { MonitorDefinition } from '../monitor/monitor';

/** A monitor as it is defined now. */
@Entity({ name: 'monitors' })
@Index(['tenant', 'monitor'])
@Index(['tenant', 'endpoint'])
export class MonitorRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'monitor_id' })
  monitorId!: string;
  @Column('text')
  monitor!: string;
  @Column('text')
  endpoint!: string;
  @Column('integer')
  revision!: number;
  @Column('jsonb')
  definition!: MonitorDefinition;
  @Column('text', { name: 'defined_at' })
  definedAt!: string;
  @Column('text', { name: 'defined_by' })
  definedBy!: string;
}

const TYPES = ['MonitorDefined', 'ReferenceTaken', 'MonitorDeleted'] as const;
type MonitorRowEvent = Extract<Recorded<MonitorEvent>, { type: (typeof TYPES)[number] }>;

export const monitorsProjection: Projection<MonitorRow> = {
  name: 'monitors',
  mode: 'inline',
  entity: MonitorRow,
  types: TYPES,
  project: (event) => projectMonitor(event as MonitorRowEvent),
};

function projectMonitor(event: MonitorRowEvent): RowChange<MonitorRow>[] {
  const key = { tenant: event.tenant, monitorId: event.data.monitorId };
  switch (event.type) {
    case 'MonitorDefined': {
      const { monitorId: _id, monitor, revision, ...definition } = event.data;
      const { endpoint } = definition;
      const defined = { definedAt: event.time, definedBy: event.actor };
      return [{ put: { ...key, monitor, endpoint, revision, definition, ...defined } }];
    }
    case 'ReferenceTaken': {
      const { profile } = event.data;
      return [{ change: key, by: (row) => row && { ...row, definition: { ...row.definition, profile } } }];
    }
    case 'MonitorDeleted':
      return [{ remove: key }];
  }
}
