import type { MonitorEvent } from '@mledger/contracts';
import type { Projection, Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

type EventOfType<T extends MonitorEvent['type']> = Extract<Recorded<MonitorEvent>, { type: T }>;

/** A window's figures, and how good its predictions were once its labels told. */
@Entity({ name: 'windows' })
@Index(['tenant', 'monitorId', 'windowId'])
export class WindowRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'monitor_id' })
  monitorId!: string;
  @PrimaryColumn('integer')
  number!: number;
  @Column('text', { name: 'window_id' })
  windowId!: string;
  @Column('jsonb')
  evaluation!: EventOfType<'WindowEvaluated'>['data'];
  @Column('text', { name: 'evaluated_at' })
  evaluatedAt!: string;
  @Column('jsonb', { nullable: true })
  performance!: WindowPerformance | null;
}

export type WindowPerformance = EventOfType<'PerformanceEvaluated'>['data']['performance'] & {
  readonly threshold: number;
  readonly degraded: boolean;
  readonly evaluatedAt: string;
};

const TYPES = ['WindowEvaluated', 'PerformanceEvaluated'] as const;
type WindowRowEvent = EventOfType<(typeof TYPES)[number]>;

export const windowsProjection: Projection<WindowRow> = {
  name: 'windows',
  mode: 'inline',
  entity: WindowRow,
  types: TYPES,
  project: (event) => projectWindow(event as WindowRowEvent),
};

function projectWindow(event: WindowRowEvent): RowChange<WindowRow>[] {
  const { windowId, number } = event.data.window;
  const key = { tenant: event.tenant, monitorId: event.data.monitorId, number };
  if (event.type === 'WindowEvaluated') {
    return [{ put: { ...key, windowId, evaluation: event.data, evaluatedAt: event.time, performance: null } }];
  }
  const { performance, threshold, degraded } = event.data;
  const judged = { ...performance, threshold, degraded, evaluatedAt: event.time };
  return [{ change: key, by: (row) => row && { ...row, performance: judged } }];
}
