import type { RegisteredModelEvent } from '@mledger/contracts';
import type { Projection, Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A registered model as MLflow's get and search show it. */
@Entity({ name: 'models' })
@Index(['tenant', 'name'])
export class ModelRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'model_id' })
  modelId!: string;
  @Column('text')
  name!: string;
  @Column('text')
  description!: string;
  @Column('jsonb')
  tags!: Record<string, string>;
  /** Alias to version number. */
  @Column('jsonb')
  aliases!: Record<string, number>;
  @Column('text', { name: 'created_by' })
  createdBy!: string;
  @Column('text', { name: 'created_at' })
  createdAt!: string;
  @Column('text', { name: 'updated_at' })
  updatedAt!: string;
}

const TYPES = [
  'ModelRegistered',
  'ModelRenamed',
  'ModelDescribed',
  'ModelTagged',
  'ModelUntagged',
  'ModelDeleted',
  'ModelVersionCreated',
  'ModelVersionDeleted',
  'StageTransitioned',
  'AliasMoved',
  'AliasRemoved',
] as const;
type ModelRowEvent = Extract<Recorded<RegisteredModelEvent>, { type: (typeof TYPES)[number] }>;

export const modelsProjection: Projection<ModelRow> = {
  name: 'models',
  mode: 'inline',
  entity: ModelRow,
  types: TYPES,
  project: (event) => projectModel(event as ModelRowEvent),
};

function projectModel(event: ModelRowEvent): RowChange<ModelRow>[] {
  const key = { tenant: event.tenant, modelId: event.data.modelId };
  if (event.type === 'ModelRegistered') return [{ put: registered(event) }];
  if (event.type === 'ModelDeleted') return [{ remove: key }];
  return [{ change: key, by: (row) => row && { ...row, ...changes(row, event) } }];
}

function registered(event: Extract<ModelRowEvent, { type: 'ModelRegistered' }>): ModelRow {
  const { modelId, model, description, tags } = event.data;
  return {
    ...{ tenant: event.tenant, modelId, name: model, description },
    tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
    aliases: {},
    createdBy: event.actor,
    createdAt: event.time,
    updatedAt: event.time,
  };
}

type Change = Exclude<ModelRowEvent, { type: 'ModelRegistered' | 'ModelDeleted' }>;

/** As in MLflow, tags and aliases leave the time of the last update alone. */
function changes(row: ModelRow, event: Change): Partial<ModelRow> {
  switch (event.type) {
    case 'ModelRenamed':
      return { name: event.data.toName, updatedAt: event.time };
    case 'ModelDescribed':
      return { description: event.data.description, updatedAt: event.time };
    case 'ModelTagged':
      return { tags: { ...row.tags, [event.data.key]: event.data.value } };
    case 'ModelUntagged':
      return { tags: without(row.tags, event.data.key) };
    case 'AliasMoved':
      return { aliases: { ...row.aliases, [event.data.alias]: event.data.toVersion } };
    case 'AliasRemoved':
      return { aliases: without(row.aliases, event.data.alias) };
    case 'ModelVersionCreated':
    case 'ModelVersionDeleted':
    case 'StageTransitioned':
      return { updatedAt: event.time };
  }
}

function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}
