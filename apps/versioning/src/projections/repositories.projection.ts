import type { RepositoryEvent } from '@mledger/contracts';
import { unreachable, type Projection, type Recorded, type RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A repository that exists. */
@Entity({ name: 'repositories' })
@Index(['tenant', 'name'])
export class RepositoryRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'repository_id' })
  repositoryId!: string;
  @Column({ type: 'text', collation: 'C' })
  name!: string;
  @Column('text', { name: 'storage_namespace' })
  storageNamespace!: string;
  @Column('text', { name: 'default_branch' })
  defaultBranch!: string;
  @Column('boolean', { name: 'read_only' })
  readOnly!: boolean;
  @Column('jsonb')
  metadata!: Record<string, string>;
  @Column('jsonb', { name: 'protected_patterns' })
  protectedPatterns!: string[];
  @Column('text', { name: 'created_at' })
  createdAt!: string;
}

export const repositoriesProjection: Projection<RepositoryRow> = {
  name: 'repositories',
  mode: 'inline',
  entity: RepositoryRow,
  types: ['RepositoryCreated', 'RepositoryMetadataReplaced', 'BranchProtectionReplaced', 'RepositoryDeleted'],
  project: (event) => changesOf(event as Recorded<RepositoryEvent>),
};

function changesOf(event: Recorded<RepositoryEvent>): RowChange<RepositoryRow>[] {
  const { tenant, data } = event;
  const key = { tenant, repositoryId: data.repositoryId };
  const change = (part: Partial<RepositoryRow>): RowChange<RepositoryRow>[] => [
    { change: key, by: (row) => row && { ...row, ...part } },
  ];
  switch (event.type) {
    case 'RepositoryCreated': {
      const { repository: name, storageNamespace, defaultBranch, readOnly } = event.data;
      const created = { name, storageNamespace, defaultBranch, readOnly, createdAt: event.time };
      return [{ put: { ...key, ...created, metadata: {}, protectedPatterns: [] } }];
    }
    case 'RepositoryMetadataReplaced':
      return change({ metadata: event.data.metadata });
    case 'BranchProtectionReplaced':
      return change({ protectedPatterns: event.data.patterns });
    case 'RepositoryDeleted':
      return [{ remove: key }];
    default:
      return unreachable(event);
  }
}
