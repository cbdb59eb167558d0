import type { ExperimentsEvent } from '@mledger/contracts';
import type { ReadModel } from '@mledger/event-bus';
import type { Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A logged model of experiments: where its files lie and whether it is whole. */
@Entity({ name: 'source_logged_models' })
@Index(['tenant', 'sourceRunId', 'name'])
export class SourceLoggedModelRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'logged_model_id' })
  loggedModelId!: string;
  @Column('text', { name: 'experiment_id' })
  experimentId!: string;
  @Column('text', { name: 'source_run_id', nullable: true })
  sourceRunId!: string | null;
  @Column('text')
  name!: string;
  @Column('text', { name: 'artifact_location' })
  artifactLocation!: string;
  @Column('text')
  status!: 'pending' | 'ready' | 'failed' | 'deleted';
  @Column('text', { name: 'manifest_sha256', nullable: true })
  manifestSha256!: string | null;
  @Column('text', { name: 'created_at' })
  createdAt!: string;
}

const TYPES = ['LoggedModelCreated', 'LoggedModelReady', 'LoggedModelFailed', 'LoggedModelDeleted'] as const;
type LoggedModelEvent = Extract<Recorded<ExperimentsEvent>, { type: (typeof TYPES)[number] }>;

export const sourceLoggedModels: ReadModel<SourceLoggedModelRow> = {
  name: 'source_logged_models',
  mode: 'async',
  entity: SourceLoggedModelRow,
  from: ['experiments'],
  types: TYPES,
  project: (event) => projectLoggedModel(event as LoggedModelEvent),
};

function projectLoggedModel(event: LoggedModelEvent): RowChange<SourceLoggedModelRow>[] {
  const key = { tenant: event.tenant, loggedModelId: event.data.modelId };
  switch (event.type) {
    case 'LoggedModelCreated': {
      const { experimentId, sourceRunId = null, name, artifactLocation } = event.data;
      const row = { ...key, experimentId, sourceRunId, name, artifactLocation, createdAt: event.time };
      return [{ put: { ...row, status: 'pending', manifestSha256: null } }];
    }
    case 'LoggedModelReady': {
      const { manifestSha256 } = event.data;
      return [{ change: key, by: (row) => row && { ...row, status: 'ready', manifestSha256 } }];
    }
    case 'LoggedModelFailed':
      return [{ change: key, by: (row) => row && { ...row, status: 'failed' } }];
    case 'LoggedModelDeleted':
      return [{ change: key, by: (row) => row && { ...row, status: 'deleted' } }];
  }
}
