import type { RegisteredModelEvent } from '@mledger/contracts';
import type { ReadModel } from '@mledger/event-bus';
import type { Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Which registered model a name means now: it may have been renamed, or deleted and another made under its name. */
@Entity({ name: 'registry_models' })
@Index(['tenant', 'model'])
export class RegistryModelRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'model_id' })
  modelId!: string;
  @Column('text')
  model!: string;
}

const TYPES = ['ModelRegistered', 'ModelRenamed', 'ModelDeleted'] as const;
type ModelEvent = Extract<Recorded<RegisteredModelEvent>, { type: (typeof TYPES)[number] }>;

export const registryModels: ReadModel<RegistryModelRow> = {
  name: 'registry_models',
  mode: 'async',
  entity: RegistryModelRow,
  from: ['registry'],
  types: TYPES,
  project: (event) => projectModel(event as ModelEvent),
};

function projectModel(event: ModelEvent): RowChange<RegistryModelRow>[] {
  const key = { tenant: event.tenant, modelId: event.data.modelId };
  if (event.type === 'ModelDeleted') return [{ remove: key }];
  return [{ put: { ...key, model: event.type === 'ModelRenamed' ? event.data.toName : event.data.model } }];
}
