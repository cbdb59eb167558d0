import { unreachable, type Projection, type Recorded, type RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { ExperimentEvent } from '../experiment/experiment';
import type { KeyValue } from '../key-values';
import { integer, text } from './columns';

/** Params and tags as a document: what a search row asks of them is a look-up by key. */
export type Pairs = Readonly<Record<string, string>>;

/** An experiment as searches and clients see it. Times are milliseconds. */
@Entity({ name: 'experiments' })
@Index(['tenant', 'name'])
export class ExperimentRow {
  @PrimaryColumn(text('tenant')) tenant!: string;
  @PrimaryColumn(text('experiment_id')) experimentId!: string;
  @Column(text('name')) name!: string;
  @Column(text('artifact_location')) artifactLocation!: string;
  @Column('boolean') deleted!: boolean;
  @Column(integer('creation_time')) creationTime!: number;
  @Column(integer('last_update_time')) lastUpdateTime!: number;
  @Column('jsonb') tags!: Pairs;
}

export const experimentProjection: Projection<ExperimentRow> = {
  name: 'experiments',
  mode: 'inline',
  entity: ExperimentRow,
  types: [
    'ExperimentCreated',
    'ExperimentRenamed',
    'ExperimentTagged',
    'ExperimentTagRemoved',
    'ExperimentDeleted',
    'ExperimentRestored',
  ],
  project: (event) => [changeOf(event as Recorded<ExperimentEvent>)],
};

function changeOf(event: Recorded<ExperimentEvent>): RowChange<ExperimentRow> {
  const { tenant } = event;
  const at = Date.parse(event.time);
  if (event.type === 'ExperimentCreated') {
    const { experimentId, name, artifactLocation, tags } = event.data;
    const times = { creationTime: at, lastUpdateTime: at };
    return { put: { tenant, experimentId, name, artifactLocation, deleted: false, ...times, tags: pairsOf(tags) } };
  }
  const change = { tenant, experimentId: event.data.experimentId };
  return { change, by: (row) => row && { ...row, ...partOf(row, event), lastUpdateTime: at } };
}

type Change = Exclude<Recorded<ExperimentEvent>, { type: 'ExperimentCreated' }>;

function partOf(row: ExperimentRow, event: Change): Partial<ExperimentRow> {
  switch (event.type) {
    case 'ExperimentRenamed':
      return { name: event.data.toName };
    case 'ExperimentTagged':
      return { tags: { ...row.tags, ...pairsOf(event.data.tags) } };
    case 'ExperimentTagRemoved':
      return { tags: pairsWithout(row.tags, event.data.key) };
    case 'ExperimentDeleted':
      return { deleted: true };
    case 'ExperimentRestored':
      return { deleted: false };
    default:
      return unreachable(event);
  }
}

export function pairsOf(pairs: readonly KeyValue[]): Pairs {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}

export function pairsWithout(pairs: Pairs, removed: string): Pairs {
  return Object.fromEntries(Object.entries(pairs).filter(([key]) => key !== removed));
}
