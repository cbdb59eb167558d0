import type { BranchEvent, CommitRecord } from '@mledger/contracts';
import type { Recorded } from '@mledger/event-log';
import { withCommitId } from '../commit/commit-id';
import { BRANCH_MOVED, branchDecider, type AdvanceEvent, type BranchCommand } from './branch';

const identity = { repositoryId: 'r', repository: 'flights', branch: 'main' };
const commitOf = (message: string, parents: string[] = []): CommitRecord =>
  withCommitId({
    parents,
    committer: 'user:ana',
    message,
    createdAtSeconds: 1,
    treeId: '',
    metadata: {},
    generation: parents.length + 1,
  });
const FIRST = commitOf('first');
const SECOND = commitOf('second', [FIRST.id]);
const changes = { added: 0, changed: 0, removed: 0 };
const advance = (from: string | null, commit: CommitRecord): BranchCommand => ({
  type: 'Advance',
  event: { type: 'CommitCreated', data: { ...identity, from, commit, changes } } as AdvanceEvent,
});

function given(...commands: BranchCommand[]) {
  let state = branchDecider.initial;
  const events: BranchEvent[] = [];
  for (const command of commands) {
    const decision = branchDecider.decide(state, command);
    if ('refusal' in decision) throw new Error(decision.refusal.message);
    for (const event of decision.events) state = branchDecider.evolve(state, event as Recorded<BranchEvent>);
    events.push(...decision.events);
  }
  return { events, when: (command: BranchCommand) => branchDecider.decide(state, command) };
}

const DEFAULT: BranchCommand = { type: 'CreateDefaultBranch', ...identity, firstCommit: FIRST };
const DELETE: BranchCommand = { type: 'DeleteBranch', ...identity };
const CREATE: BranchCommand = { type: 'CreateBranch', ...identity, commitId: FIRST.id, sourceRef: 'v1', hidden: false };
const reset = (from: string, to: string): BranchCommand => ({ type: 'Reset', ...identity, from, to, ref: 'x' });

describe('a branch', () => {
  it('begins with the first commit of its repository, or at another commit', () => {
    expect(given(DEFAULT).events.map(({ type }) => type)).toEqual(['BranchCreated', 'CommitCreated']);
    expect(given(CREATE).events).toMatchObject([{ type: 'BranchCreated', data: { commitId: FIRST.id } }]);
  });

  it('moves on from the head that a commit was made on, and from no other', () => {
    const branch = given(DEFAULT, advance(FIRST.id, SECOND));
    expect(branch.when(advance(SECOND.id, commitOf('third', [SECOND.id])))).toMatchObject({ events: [{}] });
    expect(branch.when(advance(FIRST.id, commitOf('other', [FIRST.id])))).toMatchObject({
      refusal: { kind: 'conflict', code: BRANCH_MOVED },
    });
    expect(branch.when(advance(null, FIRST))).toMatchObject({ refusal: { code: BRANCH_MOVED } });
  });

  it('is reset from the head that the caller saw', () => {
    const branch = given(DEFAULT, advance(FIRST.id, SECOND));
    expect(branch.when(reset(SECOND.id, FIRST.id))).toMatchObject({ events: [{ type: 'BranchReset' }] });
    expect(branch.when(reset(SECOND.id, SECOND.id))).toEqual({ events: [] });
    expect(branch.when(reset(FIRST.id, SECOND.id))).toMatchObject({ refusal: { code: BRANCH_MOVED } });
  });

  it('is there once; its stream lives on over deletion and re-creation', () => {
    const branch = given(DEFAULT, advance(FIRST.id, SECOND), DELETE, CREATE, DELETE);
    expect(branch.events.map(({ type }) => type)).toEqual([
      'BranchCreated',
      'CommitCreated',
      'CommitCreated',
      'BranchDeleted',
      'BranchCreated',
      'BranchDeleted',
    ]);
    expect(branch.events[3]).toMatchObject({ data: { commitId: SECOND.id } });
    expect(given(CREATE).when(CREATE)).toMatchObject({ refusal: { kind: 'exists' } });
    expect(given(CREATE).when({ type: 'AssertAbsent' })).toMatchObject({ refusal: { kind: 'exists' } });
    expect(branch.when({ type: 'AssertAbsent' })).toEqual({ events: [] });
  });

  it.each([DELETE, advance(FIRST.id, SECOND), reset(FIRST.id, SECOND.id)])(
    'that is not there refuses $type',
    (command) => {
      expect(given(CREATE, DELETE).when(command)).toMatchObject({ refusal: { kind: 'not-found' } });
    },
  );
});
