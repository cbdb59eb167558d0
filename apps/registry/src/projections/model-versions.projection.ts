import type { ModelFile, RegisteredModelEvent } from '@mledger/contracts';
import type { Projection, Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A version that exists; its model's name and aliases stand with the model, which may be renamed. */
@Entity({ name: 'model_versions' })
@Index(['tenant', 'runId'])
@Index(['tenant', 'updatedAt'])
export class ModelVersionRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'model_id' })
  modelId!: string;
  @PrimaryColumn('integer')
  version!: number;
  @Column('text')
  stage!: string;
  @Column('text')
  description!: string;
  @Column('text')
  source!: string;
  @Column('text', { name: 'artifact_location' })
  artifactLocation!: string;
  @Column('text', { name: 'run_id', nullable: true })
  runId!: string | null;
  @Column('text', { name: 'logged_model_id', nullable: true })
  loggedModelId!: string | null;
  @Column('text', { name: 'run_link' })
  runLink!: string;
  @Column('jsonb')
  tags!: Record<string, string>;
  @Column('jsonb')
  files!: ModelFile[];
  @Column('text', { name: 'created_by' })
  createdBy!: string;
  @Column('text', { name: 'created_at' })
  createdAt!: string;
  @Column('text', { name: 'updated_at' })
  updatedAt!: string;
}

const TYPES = [
  'ModelVersionCreated',
  'ModelVersionDescribed',
  'ModelVersionTagged',
  'ModelVersionUntagged',
  'ModelVersionDeleted',
  'StageTransitioned',
  'ModelDeleted',
] as const;
type VersionRowEvent = Extract<Recorded<RegisteredModelEvent>, { type: (typeof TYPES)[number] }>;

export const modelVersionsProjection: Projection<ModelVersionRow> = {
  name: 'model_versions',
  mode: 'inline',
  entity: ModelVersionRow,
  types: TYPES,
  project: (event) => projectVersion(event as VersionRowEvent),
};

function projectVersion(event: VersionRowEvent): RowChange<ModelVersionRow>[] {
  const model = { tenant: event.tenant, modelId: event.data.modelId };
  switch (event.type) {
    case 'ModelVersionCreated':
      return [{ put: created(event) }];
    case 'ModelDeleted':
      return event.data.versions.map((version) => ({ remove: { ...model, version } }));
    case 'ModelVersionDeleted':
      return [{ remove: { ...model, version: event.data.version } }];
    default:
      return [
        {
          change: { ...model, version: event.data.version },
          by: (row) => row && { ...row, ...changes(row, event) },
        },
      ];
  }
}

function created(event: Extract<VersionRowEvent, { type: 'ModelVersionCreated' }>): ModelVersionRow {
  const { modelId, version, description, source, artifactLocation, runId, loggedModelId, runLink, files } = event.data;
  return {
    ...{ tenant: event.tenant, modelId, version, description, source, artifactLocation, runId, loggedModelId },
    ...{ runLink, files, stage: 'None' },
    tags: Object.fromEntries(event.data.tags.map(({ key, value }) => [key, value])),
    createdBy: event.actor,
    createdAt: event.time,
    updatedAt: event.time,
  };
}

type Change = Extract<
  VersionRowEvent,
  { type: 'ModelVersionDescribed' | 'ModelVersionTagged' | 'ModelVersionUntagged' | 'StageTransitioned' }
>;

/** As in MLflow, tags leave the time of the last update alone. */
function changes(row: ModelVersionRow, event: Change): Partial<ModelVersionRow> {
  switch (event.type) {
    case 'ModelVersionDescribed':
      return { description: event.data.description, updatedAt: event.time };
    case 'StageTransitioned':
      return { stage: event.data.toStage, updatedAt: event.time };
    case 'ModelVersionTagged':
      return { tags: { ...row.tags, [event.data.key]: event.data.value } };
    case 'ModelVersionUntagged': {
      const { key } = event.data;
      return { tags: Object.fromEntries(Object.entries(row.tags).filter(([name]) => name !== key)) };
    }
  }
}
