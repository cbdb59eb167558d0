import type { ExperimentsEvent } from '@mledger/contracts';
import type { Projection, Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { integer, text } from './columns';

/** Where the bytes of each artifact are. The owner is a run or a logged model; their ids never look alike. */
@Entity({ name: 'artifacts' })
export class ArtifactRow {
  @PrimaryColumn(text('tenant')) tenant!: string;
  @PrimaryColumn(text('owner_id')) ownerId!: string;
  /** Relative to the owner's artifact root. */
  @PrimaryColumn(text('path')) path!: string;
  @Column(integer('size_bytes')) sizeBytes!: number;
  @Column(text('sha256')) sha256!: string;
  @Column(text('object_key')) objectKey!: string;
}

type ArtifactEvent = Extract<Recorded<ExperimentsEvent>, { type: 'ArtifactStored' | 'ArtifactsDeleted' }>;

export const artifactProjection: Projection<ArtifactRow> = {
  name: 'artifacts',
  mode: 'inline',
  entity: ArtifactRow,
  types: ['ArtifactStored', 'ArtifactsDeleted'],
  project: (event) => changesOf(event as ArtifactEvent),
};

function changesOf(event: ArtifactEvent): RowChange<ArtifactRow>[] {
  const { tenant } = event;
  const ownerId = event.data.runId ?? event.data.modelId ?? '';
  if (event.type === 'ArtifactsDeleted') {
    return event.data.paths.map((path) => ({ remove: { tenant, ownerId, path } }));
  }
  const { path, sizeBytes, sha256, objectKey } = event.data;
  return [{ put: { tenant, ownerId, path, sizeBytes, sha256, objectKey } }];
}
