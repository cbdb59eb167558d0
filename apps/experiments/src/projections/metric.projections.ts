import type { ExperimentsEvent, MetricPoint } from '@mledger/contracts';
import type { Projection, Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { integer, text } from './columns';

type MetricsLogged = Recorded<Extract<ExperimentsEvent, { type: 'MetricsLogged' }>>;

/** Each point of a run's metrics once: the whole row is its key, so that exact duplicates collapse. */
@Entity({ name: 'metric_points' })
export class MetricPointRow {
  @PrimaryColumn(text('tenant')) tenant!: string;
  @PrimaryColumn(text('run_id')) runId!: string;
  @PrimaryColumn(text('key')) key!: string;
  @PrimaryColumn(integer('timestamp')) timestamp!: number;
  @PrimaryColumn(integer('step')) step!: number;
  @PrimaryColumn('double precision') value!: number;
  @PrimaryColumn('boolean', { name: 'is_nan' }) isNan!: boolean;
}

export const metricPointProjection: Projection<MetricPointRow> = {
  name: 'metric_points',
  mode: 'inline',
  entity: MetricPointRow,
  types: ['MetricsLogged'],
  project: (event) => {
    const { tenant, data } = event as MetricsLogged;
    return data.metrics.map((point) => ({ put: { tenant, runId: data.runId, ...storedPoint(point) } }));
  },
};

/** Of each metric of a run the point that is greatest by step, then timestamp, then value. */
@Entity({ name: 'latest_metrics' })
export class LatestMetricRow {
  @PrimaryColumn(text('tenant')) tenant!: string;
  @PrimaryColumn(text('run_id')) runId!: string;
  @PrimaryColumn(text('key')) key!: string;
  @Column('double precision') value!: number;
  @Column('boolean', { name: 'is_nan' }) isNan!: boolean;
  @Column(integer('timestamp')) timestamp!: number;
  @Column(integer('step')) step!: number;
}

export const latestMetricProjection: Projection<LatestMetricRow> = {
  name: 'latest_metrics',
  mode: 'inline',
  entity: LatestMetricRow,
  types: ['MetricsLogged'],
  project: (event) => {
    const { tenant, data } = event as MetricsLogged;
    return data.metrics.map((point): RowChange<LatestMetricRow> => {
      const row = { tenant, runId: data.runId, ...storedPoint(point) };
      const change = { tenant, runId: data.runId, key: point.key };
      return { change, by: (latest) => (latest && isLater(latest, row) ? latest : row) };
    });
  },
};

/** What was measured of a logged model, by which run and on which dataset ('' for none). */
@Entity({ name: 'model_metrics' })
export class ModelMetricRow {
  @PrimaryColumn(text('tenant')) tenant!: string;
  @PrimaryColumn(text('model_id')) modelId!: string;
  @PrimaryColumn(text('run_id')) runId!: string;
  @PrimaryColumn(text('key')) key!: string;
  @PrimaryColumn(integer('timestamp')) timestamp!: number;
  @PrimaryColumn(integer('step')) step!: number;
  @PrimaryColumn(text('dataset_name')) datasetName!: string;
  @PrimaryColumn(text('dataset_digest')) datasetDigest!: string;
  @Column('double precision') value!: number;
  @Column('boolean', { name: 'is_nan' }) isNan!: boolean;
}

export const modelMetricProjection: Projection<ModelMetricRow> = {
  name: 'model_metrics',
  mode: 'inline',
  entity: ModelMetricRow,
  types: ['MetricsLogged'],
  project: (event) => {
    const { tenant, data } = event as MetricsLogged;
    return data.metrics.flatMap((point) => {
      const { modelId, datasetName = '', datasetDigest = '' } = point;
      if (modelId === undefined) return [];
      return [{ put: { tenant, modelId, runId: data.runId, datasetName, datasetDigest, ...storedPoint(point) } }];
    });
  },
};

/** Numbers that JSON lacks, as MLflow's own tables hold them: infinities at the ends of the scale, NaN as 0 with a flag. */
function storedPoint({ key, value, timestamp, step }: MetricPoint) {
  const isNan = value === 'NaN';
  return { key, value: isNan ? 0 : finite(value), isNan, timestamp, step };
}

function finite(value: number | 'Infinity' | '-Infinity'): number {
  if (value === 'Infinity') return Number.MAX_VALUE;
  return value === '-Infinity' ? -Number.MAX_VALUE : value;
}

function isLater(a: LatestMetricRow, b: LatestMetricRow): boolean {
  if (a.step !== b.step) return a.step > b.step;
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  return a.value > b.value;
}
