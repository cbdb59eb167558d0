import type { Projection, Recorded } from '@mledger/event-log';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { AdvanceEvent } from '../branch/branch';

/**
 * Every commit that was ever made, also when no branch leads to it any more. Two branches may come to the same commit;
 * both events then write the same row, since its id is made of all the rest.
 */
@Entity({ name: 'commits' })
export class CommitRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'repository_id' })
  repositoryId!: string;
  @PrimaryColumn('text', { collation: 'C' })
  id!: string;
  @Column('jsonb')
  parents!: string[];
  @Column('text')
  committer!: string;
  @Column('text')
  message!: string;
  @Column('bigint', { name: 'created_at_seconds' })
  createdAtSeconds!: number;
  @Column('text', { name: 'tree_id' })
  treeId!: string;
  @Column('jsonb')
  metadata!: Record<string, string>;
  @Column('integer')
  generation!: number;
}

export const commitsProjection: Projection<CommitRow> = {
  name: 'commits',
  mode: 'inline',
  entity: CommitRow,
  types: ['CommitCreated', 'BranchMerged', 'CommitReverted', 'CommitCherryPicked'],
  project: (event) => {
    const { tenant, data } = event as Recorded<AdvanceEvent>;
    return [{ put: { tenant, repositoryId: data.repositoryId, ...data.commit } }];
  },
};
