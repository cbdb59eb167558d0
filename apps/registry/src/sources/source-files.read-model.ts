import type { ExperimentsEvent } from '@mledger/contracts';
import type { ReadModel } from '@mledger/event-bus';
import type { Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A file of a run or of a logged model, and where its bytes lie in the object store. */
@Entity({ name: 'source_files' })
export class SourceFileRow {
  @PrimaryColumn('text')
  tenant!: string;
  /** `run:<run id>` or `model:<logged model id>`. */
  @PrimaryColumn('text')
  owner!: string;
  /** Compared byte by byte, so that a folder's files are one range of the index. */
  @PrimaryColumn('text', { collation: 'C' })
  path!: string;
  @Column('text', { name: 'object_key' })
  objectKey!: string;
  @Column('double precision', { name: 'size_bytes' })
  sizeBytes!: number;
  @Column('text')
  sha256!: string;
}

export const runFiles = (runId: string): string => `run:${runId}`;
export const loggedModelFiles = (loggedModelId: string): string => `model:${loggedModelId}`;

const TYPES = ['ArtifactStored', 'ArtifactsDeleted'] as const;
type ArtifactEvent = Extract<Recorded<ExperimentsEvent>, { type: (typeof TYPES)[number] }>;

export const sourceFiles: ReadModel<SourceFileRow> = {
  name: 'source_files',
  mode: 'async',
  entity: SourceFileRow,
  from: ['experiments'],
  types: TYPES,
  project: (event) => projectFile(event as ArtifactEvent),
};

function projectFile(event: ArtifactEvent): RowChange<SourceFileRow>[] {
  const { runId, modelId } = event.data;
  const owner = modelId === undefined ? runFiles(runId ?? '') : loggedModelFiles(modelId);
  const key = { tenant: event.tenant, owner };
  if (event.type === 'ArtifactsDeleted') return event.data.paths.map((path) => ({ remove: { ...key, path } }));
  const { path, objectKey, sizeBytes, sha256 } = event.data;
  return [{ put: { ...key, path, objectKey, sizeBytes, sha256 } }];
}
