import type { BranchEvent } from '@mledger/contracts';
import { unreachable, type Projection, type Recorded, type RowChange } from '@mledger/event-log';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A branch that exists. */
@Entity({ name: 'branches' })
export class BranchRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'repository_id' })
  repositoryId!: string;
  @PrimaryColumn('text', { collation: 'C' })
  name!: string;
  /** Null only between the first two events of a repository, which come in one append. */
  @Column('text', { name: 'commit_id', nullable: true })
  commitId!: string | null;
  @Column('boolean')
  hidden!: boolean;
  /** Version of the stream at which it was made; staged changes belong to one incarnation, so a new one inherits none. */
  @Column('integer')
  incarnation!: number;
}

export const branchesProjection: Projection<BranchRow> = {
  name: 'branches',
  mode: 'inline',
  entity: BranchRow,
  types: [
    'BranchCreated',
    'CommitCreated',
    'BranchMerged',
    'CommitReverted',
    'CommitCherryPicked',
    'BranchReset',
    'BranchDeleted',
  ],
  project: (event) => changesOf(event as Recorded<BranchEvent>),
};

function changesOf(event: Recorded<BranchEvent>): RowChange<BranchRow>[] {
  const { tenant, data } = event;
  const key = { tenant, repositoryId: data.repositoryId, name: data.branch };
  const moveTo = (commitId: string): RowChange<BranchRow>[] => [
    { change: key, by: (row) => row && { ...row, commitId } },
  ];
  switch (event.type) {
    case 'BranchCreated': {
      const { commitId, hidden } = event.data;
      return [{ put: { ...key, commitId, hidden, incarnation: event.version } }];
    }
    case 'CommitCreated':
    case 'BranchMerged':
    case 'CommitReverted':
    case 'CommitCherryPicked':
      return moveTo(event.data.commit.id);
    case 'BranchReset':
      return moveTo(event.data.to);
    case 'BranchDeleted':
      return [{ remove: key }];
    default:
      return unreachable(event);
  }
}
