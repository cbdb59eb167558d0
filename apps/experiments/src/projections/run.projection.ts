import type { ExperimentsEvent } from '@mledger/contracts';
import { unreachable, type Projection, type Recorded, type RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { RUN_NAME_TAG } from '../run/run';
import { integer, text } from './columns';
import { pairsOf, pairsWithout, type Pairs } from './experiment.projection';

/** A run's search row; its metrics change far more often and have tables of their own. Times are milliseconds. */
@Entity({ name: 'runs' })
@Index(['tenant', 'experimentId', 'startTime'])
export class RunRow {
  @PrimaryColumn(text('tenant')) tenant!: string;
  @PrimaryColumn(text('run_id')) runId!: string;
  @Column(text('experiment_id')) experimentId!: string;
  @Column(text('name')) name!: string;
  @Column(text('user_id')) userId!: string;
  @Column(text('status')) status!: string;
  @Column(integer('start_time')) startTime!: number;
  @Column({ ...integer('end_time'), nullable: true }) endTime!: number | null;
  @Column(text('artifact_uri')) artifactUri!: string;
  @Column('boolean') deleted!: boolean;
  @Column('jsonb') params!: Pairs;
  @Column('jsonb') tags!: Pairs;
  @Column('jsonb', { name: 'model_inputs' }) modelInputs!: readonly { modelId: string }[];
  @Column('jsonb', { name: 'model_outputs' }) modelOutputs!: readonly { modelId: string; step: number }[];
}

type RunRowEvent = Extract<
  ExperimentsEvent,
  {
    type:
      | 'RunStarted'
      | 'ParamsLogged'
      | 'RunTagged'
      | 'RunTagRemoved'
      | 'RunRenamed'
      | 'InputsLogged'
      | 'OutputsLogged'
      | 'RunFinished'
      | 'RunResumed'
      | 'RunDeleted'
      | 'RunRestored';
  }
>;

export const runProjection: Projection<RunRow> = {
  name: 'runs',
  mode: 'inline',
  entity: RunRow,
  types: [
    'RunStarted',
    'ParamsLogged',
    'RunTagged',
    'RunTagRemoved',
    'RunRenamed',
    'InputsLogged',
    'OutputsLogged',
    'RunFinished',
    'RunResumed',
    'RunDeleted',
    'RunRestored',
  ],
  project: (event) => [changeOf(event as Recorded<RunRowEvent>)],
};

function changeOf(event: Recorded<RunRowEvent>): RowChange<RunRow> {
  const { tenant } = event;
  if (event.type === 'RunStarted') {
    const { tags, ...data } = event.data;
    const fresh = { status: 'RUNNING', endTime: null, deleted: false, params: {}, modelInputs: [], modelOutputs: [] };
    return { put: { tenant, ...data, ...fresh, tags: pairsOf(tags) } };
  }
  return { change: { tenant, runId: event.data.runId }, by: (row) => row && { ...row, ...partOf(row, event) } };
}

function partOf(row: RunRow, event: Exclude<Recorded<RunRowEvent>, { type: 'RunStarted' }>): Partial<RunRow> {
  switch (event.type) {
    case 'ParamsLogged':
      return { params: { ...row.params, ...pairsOf(event.data.params) } };
    case 'RunTagged': {
      const tags = { ...row.tags, ...pairsOf(event.data.tags) };
      return { tags, name: tags[RUN_NAME_TAG] ?? row.name };
    }
    case 'RunTagRemoved':
      return { tags: pairsWithout(row.tags, event.data.key) };
    case 'RunRenamed':
      return { name: event.data.name, tags: { ...row.tags, [RUN_NAME_TAG]: event.data.name } };
    case 'InputsLogged':
      return { modelInputs: [...row.modelInputs, ...event.data.models] };
    case 'OutputsLogged':
      return { modelOutputs: [...row.modelOutputs, ...event.data.models] };
    case 'RunFinished':
      return { status: event.data.status, endTime: event.data.endTime };
    case 'RunResumed':
      return { status: event.data.status, endTime: null };
    case 'RunDeleted':
      return { deleted: true };
    case 'RunRestored':
      return { deleted: false };
    default:
      return unreachable(event);
  }
}

/** The datasets that a run read, as it named them. */
@Entity({ name: 'run_datasets' })
export class RunDatasetRow {
  @PrimaryColumn(text('tenant')) tenant!: string;
  @PrimaryColumn(text('run_id')) runId!: string;
  @PrimaryColumn(text('name')) name!: string;
  @PrimaryColumn(text('digest')) digest!: string;
  @Column(text('source_type')) sourceType!: string;
  @Column(text('source')) source!: string;
  @Column({ ...text('schema'), nullable: true }) schema!: string | null;
  @Column({ ...text('profile'), nullable: true }) profile!: string | null;
  /** The value of the tag `mlflow.data.context`. */
  @Column({ ...text('context'), nullable: true }) context!: string | null;
  @Column('jsonb') tags!: Pairs;
}

const CONTEXT_TAG = 'mlflow.data.context';

export const runDatasetProjection: Projection<RunDatasetRow> = {
  name: 'run_datasets',
  mode: 'inline',
  entity: RunDatasetRow,
  types: ['InputsLogged'],
  project: (event) => {
    const { tenant, data } = event as Recorded<Extract<ExperimentsEvent, { type: 'InputsLogged' }>>;
    return data.datasets.map(({ tags: list, ...dataset }) => {
      const tags = pairsOf(list);
      const optional = { schema: dataset.schema ?? null, profile: dataset.profile ?? null };
      return { put: { tenant, runId: data.runId, ...dataset, ...optional, context: tags[CONTEXT_TAG] ?? null, tags } };
    });
  },
};
