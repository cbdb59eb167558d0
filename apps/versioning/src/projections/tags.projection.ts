import type { TagEvent } from '@mledger/contracts';
import type { Projection, Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A tag that exists. */
@Entity({ name: 'tags' })
export class TagRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'repository_id' })
  repositoryId!: string;
  @PrimaryColumn('text', { collation: 'C' })
  name!: string;
  @Column('text', { name: 'commit_id' })
  commitId!: string;
}

export const tagsProjection: Projection<TagRow> = {
  name: 'tags',
  mode: 'inline',
  entity: TagRow,
  types: ['TagCreated', 'TagDeleted'],
  project: (event) => changesOf(event as Recorded<TagEvent>),
};

function changesOf({ tenant, type, data }: Recorded<TagEvent>): RowChange<TagRow>[] {
  const key = { tenant, repositoryId: data.repositoryId, name: data.tag };
  return type === 'TagCreated' ? [{ put: { ...key, commitId: data.commitId } }] : [{ remove: key }];
}
