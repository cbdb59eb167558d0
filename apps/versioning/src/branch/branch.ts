import type { BranchEvent, CommitRecord } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider } from '@mledger/event-log';

export interface BranchState {
  readonly isThere: boolean;
  /** The head; undefined before a repository's first commit. */
  readonly commitId: string | undefined;
}

export interface BranchIdentity {
  readonly repositoryId: string;
  readonly repository: string;
  readonly branch: string;
}

/** An event by which a branch gets a new commit as its head. */
export type AdvanceEvent = Extract<
  BranchEvent,
  { type: 'CommitCreated' | 'BranchMerged' | 'CommitReverted' | 'CommitCherryPicked' }
>;

export type BranchCommand =
  | (BranchIdentity & {
      readonly type: 'CreateBranch';
      readonly commitId: string;
      readonly sourceRef: string;
      readonly hidden: boolean;
    })
  | (BranchIdentity & { readonly type: 'CreateDefaultBranch'; readonly firstCommit: CommitRecord })
  /** The new commit was made on the head `event.data.from`; it is refused when the head is another by now. */
  | { readonly type: 'Advance'; readonly event: AdvanceEvent }
  | (BranchIdentity & { readonly type: 'Reset'; readonly from: string; readonly to: string; readonly ref: string })
  | (BranchIdentity & { readonly type: 'DeleteBranch' })
  /** Holds the name still while a tag of the same name is made. */
  | { readonly type: 'AssertAbsent' };

/** The code of the one refusal after which a caller makes its commit anew, on the new head. */
export const BRANCH_MOVED = 'BRANCH_MOVED';

export const branchDecider: Decider<BranchState, BranchCommand, BranchEvent> = {
  kind: 'branch',
  initial: { isThere: false, commitId: undefined },
  decide(state, command) {
    switch (command.type) {
      case 'AssertAbsent':
        return state.isThere ? refuse('exists', 'NOT_UNIQUE', 'a branch has this name: not unique') : accept();
      case 'CreateBranch': {
        if (state.isThere) return refuse('exists', 'NOT_UNIQUE', 'branch already exists: not unique');
        const { type: _, ...data } = command;
        return accept({ type: 'BranchCreated', data });
      }
      case 'CreateDefaultBranch': {
        const { repositoryId, repository, branch, firstCommit: commit } = command;
        const identity = { repositoryId, repository, branch };
        const changes = { added: 0, changed: 0, removed: 0 };
        return accept<BranchEvent>(
          { type: 'BranchCreated', data: { ...identity, commitId: null, sourceRef: '', hidden: false } },
          { type: 'CommitCreated', data: { ...identity, from: null, commit, changes } },
        );
      }
      case 'Advance':
        return unlessMoved(state, command.event.data.from, () => accept<BranchEvent>(command.event));
      case 'Reset': {
        const { type: _, ...data } = command;
        if (data.from === data.to) return accept();
        return unlessMoved(state, data.from, () => accept<BranchEvent>({ type: 'BranchReset', data }));
      }
      case 'DeleteBranch': {
        if (!state.isThere || state.commitId === undefined) return notFound();
        const { repositoryId, repository, branch } = command;
        return accept({
          type: 'BranchDeleted',
          data: { repositoryId, repository, branch, commitId: state.commitId },
        });
      }
      default:
        return unreachable(command);
    }
  },
  evolve(state, event) {
    switch (event.type) {
      case 'BranchCreated':
        return { isThere: true, commitId: event.data.commitId ?? undefined };
      case 'CommitCreated':
      case 'BranchMerged':
      case 'CommitReverted':
      case 'CommitCherryPicked':
        return { ...state, commitId: event.data.commit.id };
      case 'BranchReset':
        return { ...state, commitId: event.data.to };
      case 'BranchDeleted':
        return { isThere: false, commitId: undefined };
      default:
        return unreachable(event);
    }
  },
};

function unlessMoved<D>(state: BranchState, from: string | null, decision: () => D) {
  if (!state.isThere) return notFound();
  if (state.commitId !== (from ?? undefined)) {
    return refuse('conflict', BRANCH_MOVED, 'the branch has moved on meanwhile: try again');
  }
  return decision();
}

function notFound() {
  return refuse('not-found', 'BRANCH_NOT_FOUND', 'branch not found');
}
