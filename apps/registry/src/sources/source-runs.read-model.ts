import type { ReadModel } from '@mledger/event-bus';
import type { ExperimentsEvent } from '@mledger/contracts';
import type { Recorded } from '@mledger/event-log';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A run of experiments, as far as a version that comes from it needs to know it. */
@Entity({ name: 'source_runs' })
export class SourceRunRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'run_id' })
  runId!: string;
  @Column('text', { name: 'experiment_id' })
  experimentId!: string;
  @Column('text', { name: 'artifact_uri' })
  artifactUri!: string;
}

type RunStarted = Extract<Recorded<ExperimentsEvent>, { type: 'RunStarted' }>;

export const sourceRuns: ReadModel<SourceRunRow> = {
  name: 'source_runs',
  mode: 'async',
  entity: SourceRunRow,
  from: ['experiments'],
  types: ['RunStarted'],
  project: (event) => {
    const { tenant, data } = event as RunStarted;
    return [{ put: { tenant, runId: data.runId, experimentId: data.experimentId, artifactUri: data.artifactUri } }];
  },
};
