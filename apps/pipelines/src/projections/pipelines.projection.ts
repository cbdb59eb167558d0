import type { PipelineEvent, PipelineStep, PipelineTrigger, Role } from '@mledger/contracts';
import type { Projection, Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A pipeline as it is defined now. */
@Entity({ name: 'pipelines' })
@Index(['tenant', 'name'])
export class PipelineRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'pipeline_id' })
  pipelineId!: string;
  @Column('text')
  name!: string;
  @Column('integer')
  revision!: number;
  @Column('jsonb')
  steps!: PipelineStep[];
  @Column('jsonb')
  triggers!: PipelineTrigger[];
  @Column('text')
  role!: Role;
  @Column('text', { name: 'defined_by' })
  definedBy!: string;
  @Column('text', { name: 'defined_at' })
  definedAt!: string;
}

const TYPES = ['PipelineDefined', 'PipelineDeleted'] as const;
type PipelineRowEvent = Extract<Recorded<PipelineEvent>, { type: (typeof TYPES)[number] }>;

export const pipelinesProjection: Projection<PipelineRow> = {
  name: 'pipelines',
  mode: 'inline',
  entity: PipelineRow,
  types: TYPES,
  project: (event) => projectPipeline(event as PipelineRowEvent),
};

function projectPipeline(event: PipelineRowEvent): RowChange<PipelineRow>[] {
  const key = { tenant: event.tenant, pipelineId: event.data.pipelineId };
  if (event.type === 'PipelineDeleted') return [{ remove: key }];
  const { pipeline: name, revision, steps, triggers, role } = event.data;
  return [{ put: { ...key, name, revision, steps, triggers, role, definedBy: event.actor, definedAt: event.time } }];
}
