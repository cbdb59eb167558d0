import type { ExperimentsEvent, MetricPoint } from '@mledger/contracts';
import type { ReadModel } from '@mledger/event-bus';
import type { Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The latest point of a run's metric, apart for each logged model that it measures: what gates compare. */
@Entity({ name: 'source_metrics' })
@Index(['tenant', 'loggedModelId', 'metric'])
export class SourceMetricRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'run_id' })
  runId!: string;
  @PrimaryColumn('text')
  metric!: string;
  /** Empty: the point names no model. */
  @PrimaryColumn('text', { name: 'logged_model_id' })
  loggedModelId!: string;
  /** NaN and the infinities too. */
  @Column('double precision')
  value!: number;
  @Column('double precision')
  step!: number;
  @Column('double precision', { name: 'timestamp_ms' })
  timestampMs!: number;
  @Column('text', { name: 'event_id' })
  eventId!: string;
}

type MetricsLogged = Extract<Recorded<ExperimentsEvent>, { type: 'MetricsLogged' }>;

export const sourceMetrics: ReadModel<SourceMetricRow> = {
  name: 'source_metrics',
  mode: 'async',
  entity: SourceMetricRow,
  from: ['experiments'],
  types: ['MetricsLogged'],
  project: (event) => projectMetrics(event as MetricsLogged),
};

function projectMetrics(event: MetricsLogged): RowChange<SourceMetricRow>[] {
  const latest = new Map<string, SourceMetricRow>();
  for (const point of event.data.metrics) {
    const row = rowOf(event, point);
    const key = `${row.loggedModelId}/${row.metric}`;
    const other = latest.get(key);
    if (other === undefined || isLater(row, other)) latest.set(key, row);
  }
  return [...latest.values()].map((row) => ({
    change: { tenant: row.tenant, runId: row.runId, metric: row.metric, loggedModelId: row.loggedModelId },
    by: (before) => (before !== undefined && !isLater(row, before) ? before : row),
  }));
}

function rowOf(event: MetricsLogged, point: MetricPoint): SourceMetricRow {
  return {
    ...{ tenant: event.tenant, runId: event.data.runId, metric: point.key, loggedModelId: point.modelId ?? '' },
    ...{ value: Number(point.value), step: point.step, timestampMs: point.timestamp, eventId: event.id },
  };
}

/** MLflow's latest: by step, then time, then value, where NaN is the least. */
function isLater(one: SourceMetricRow, other: SourceMetricRow): boolean {
  if (one.step !== other.step) return one.step > other.step;
  if (one.timestampMs !== other.timestampMs) return one.timestampMs > other.timestampMs;
  return !Number.isNaN(one.value) && (Number.isNaN(other.value) || one.value > other.value);
}
