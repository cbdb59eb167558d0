import type { PipelinesEvent } from '@mledger/contracts';
import type { ReadModel } from '@mledger/event-bus';
import type { Recorded } from '@mledger/event-log';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Names of pipelines: a policy trusts a name, a request comes from an id. */
@Entity({ name: 'known_pipelines' })
export class KnownPipelineRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'pipeline_id' })
  pipelineId!: string;
  @Column('text')
  name!: string;
}

const TYPES = ['PipelineDefined', 'PipelineDeleted'] as const;
type PipelineEvent = Extract<Recorded<PipelinesEvent>, { type: (typeof TYPES)[number] }>;

export const knownPipelines: ReadModel<KnownPipelineRow> = {
  name: 'known_pipelines',
  mode: 'async',
  entity: KnownPipelineRow,
  from: ['pipelines'],
  types: TYPES,
  project: (recorded) => {
    const event = recorded as PipelineEvent;
    const { pipelineId, pipeline } = event.data;
    const key = { tenant: event.tenant, pipelineId };
    return event.type === 'PipelineDeleted' ? [{ remove: key }] : [{ put: { ...key, name: pipeline } }];
  },
};
