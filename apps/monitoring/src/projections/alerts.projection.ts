import type { AlertKind, MonitorEvent } from '@mledger/contracts';
import type { Projection, Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Who should look at what, and whether it is over. */
@Entity({ name: 'alerts' })
export class AlertRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'monitor_id' })
  monitorId!: string;
  /** UUIDv7, so in the order in which they were raised. */
  @PrimaryColumn('text', { name: 'alert_id' })
  alertId!: string;
  @Column('text')
  kind!: AlertKind;
  @Column('text')
  status!: 'open' | 'resolved';
  @Column('text')
  message!: string;
  @Column('text', { name: 'window_id' })
  windowId!: string;
  @Column('integer', { name: 'window_number' })
  windowNumber!: number;
  @Column('text', { name: 'raised_at' })
  raisedAt!: string;
  @Column('text', { name: 'resolved_at', nullable: true })
  resolvedAt!: string | null;
  @Column('text', { nullable: true })
  resolution!: string | null;
}

const TYPES = ['AlertRaised', 'AlertResolved'] as const;
type AlertRowEvent = Extract<Recorded<MonitorEvent>, { type: (typeof TYPES)[number] }>;

export const alertsProjection: Projection<AlertRow> = {
  name: 'alerts',
  mode: 'inline',
  entity: AlertRow,
  types: TYPES,
  project: (event) => projectAlert(event as AlertRowEvent),
};

function projectAlert(event: AlertRowEvent): RowChange<AlertRow>[] {
  const key = { tenant: event.tenant, monitorId: event.data.monitorId, alertId: event.data.alertId };
  if (event.type === 'AlertRaised') {
    const { kind, message, windowId, windowNumber } = event.data;
    const raised = { ...key, kind, message, windowId, windowNumber, raisedAt: event.time };
    return [{ put: { ...raised, status: 'open', resolvedAt: null, resolution: null } }];
  }
  const resolved = { status: 'resolved', resolvedAt: event.time, resolution: event.data.reason } as const;
  return [{ change: key, by: (row) => row && { ...row, ...resolved } }];
}
