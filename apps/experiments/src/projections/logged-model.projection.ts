import { unreachable, type Projection, type Recorded, type RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { LoggedModelEvent } from '../logged-model/logged-model';
import { integer, text } from './columns';
import { pairsOf, pairsWithout, type Pairs } from './experiment.projection';

/** A logged model as searches and clients see it. Times are milliseconds. */
@Entity({ name: 'logged_models' })
@Index(['tenant', 'experimentId', 'creationTime'])
export class LoggedModelRow {
  @PrimaryColumn(text('tenant')) tenant!: string;
  @PrimaryColumn(text('model_id')) modelId!: string;
  @Column(text('experiment_id')) experimentId!: string;
  @Column(text('name')) name!: string;
  @Column(text('model_type')) modelType!: string;
  @Column({ ...text('source_run_id'), nullable: true }) sourceRunId!: string | null;
  @Column(text('artifact_location')) artifactLocation!: string;
  @Column(text('status')) status!: string;
  @Column('boolean') deleted!: boolean;
  @Column(integer('creation_time')) creationTime!: number;
  @Column(integer('last_update_time')) lastUpdateTime!: number;
  @Column('jsonb') params!: Pairs;
  @Column('jsonb') tags!: Pairs;
}

type LoggedModelRowEvent = Exclude<Recorded<LoggedModelEvent>, { type: 'ArtifactStored' | 'ArtifactsDeleted' }>;

export const loggedModelProjection: Projection<LoggedModelRow> = {
  name: 'logged_models',
  mode: 'inline',
  entity: LoggedModelRow,
  types: [
    'LoggedModelCreated',
    'LoggedModelReady',
    'LoggedModelFailed',
    'LoggedModelParamsLogged',
    'LoggedModelTagged',
    'LoggedModelTagRemoved',
    'LoggedModelDeleted',
  ],
  project: (event) => [changeOf(event as LoggedModelRowEvent)],
};

function changeOf(event: LoggedModelRowEvent): RowChange<LoggedModelRow> {
  const { tenant } = event;
  const at = Date.parse(event.time);
  if (event.type === 'LoggedModelCreated') {
    const { params, tags, ...data } = event.data;
    const fresh = { status: 'PENDING', deleted: false, creationTime: at, lastUpdateTime: at };
    const sourceRunId = data.sourceRunId ?? null;
    return { put: { tenant, ...data, sourceRunId, ...fresh, params: pairsOf(params), tags: pairsOf(tags) } };
  }
  const change = { tenant, modelId: event.data.modelId };
  return { change, by: (row) => row && { ...row, ...partOf(row, event), lastUpdateTime: at } };
}

function partOf(
  row: LoggedModelRow,
  event: Exclude<LoggedModelRowEvent, { type: 'LoggedModelCreated' }>,
): Partial<LoggedModelRow> {
  switch (event.type) {
    case 'LoggedModelReady':
      return { status: 'READY' };
    case 'LoggedModelFailed':
      return { status: 'UPLOAD_FAILED' };
    case 'LoggedModelParamsLogged':
      return { params: { ...row.params, ...pairsOf(event.data.params) } };
    case 'LoggedModelTagged':
      return { tags: { ...row.tags, ...pairsOf(event.data.tags) } };
    case 'LoggedModelTagRemoved':
      return { tags: pairsWithout(row.tags, event.data.key) };
    case 'LoggedModelDeleted':
      return { deleted: true };
    default:
      return unreachable(event);
  }
}
