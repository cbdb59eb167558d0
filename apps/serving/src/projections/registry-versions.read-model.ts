import type { ModelFile, RegisteredModelEvent } from '@mledger/contracts';
import type { ReadModel } from '@mledger/event-bus';
import type { Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A registered version, for endpoints that follow one version for good. */
@Entity({ name: 'registry_versions' })
export class RegistryVersionRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'model_id' })
  modelId!: string;
  @PrimaryColumn('integer')
  version!: number;
  @Column('text', { name: 'run_id', nullable: true })
  runId!: string | null;
  @Column('text', { name: 'logged_model_id', nullable: true })
  loggedModelId!: string | null;
  @Column('jsonb')
  files!: ModelFile[];
}

const TYPES = ['ModelVersionCreated', 'ModelVersionDeleted', 'ModelDeleted'] as const;
type VersionEvent = Extract<Recorded<RegisteredModelEvent>, { type: (typeof TYPES)[number] }>;

export const registryVersions: ReadModel<RegistryVersionRow> = {
  name: 'registry_versions',
  mode: 'async',
  entity: RegistryVersionRow,
  from: ['registry'],
  types: TYPES,
  project: (event) => projectVersion(event as VersionEvent),
};

function projectVersion(event: VersionEvent): RowChange<RegistryVersionRow>[] {
  const { tenant } = event;
  const { modelId } = event.data;
  if (event.type === 'ModelDeleted') {
    return event.data.versions.map((version) => ({ remove: { tenant, modelId, version } }));
  }
  const key = { tenant, modelId, version: event.data.version };
  if (event.type === 'ModelVersionDeleted') return [{ remove: key }];
  const { runId, loggedModelId, files } = event.data;
  return [{ put: { ...key, runId, loggedModelId, files } }];
}
