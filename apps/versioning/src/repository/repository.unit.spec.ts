import type { RepositoryEvent, RepositoryNameEvent } from '@mledger/contracts';
import type { Decider, NewEvent, Recorded } from '@mledger/event-log';
import { repositoryDecider, repositoryNameDecider, type RepositoryCommand } from './repository';

const id = { repositoryId: 'r', repository: 'flights' };
const CREATE: RepositoryCommand = {
  type: 'CreateRepository',
  ...id,
  storageNamespace: 'local://flights',
  defaultBranch: 'main',
  readOnly: false,
};

function given<S, C, E extends NewEvent>(decider: Decider<S, C, E>, ...commands: C[]) {
  let state = decider.initial;
  for (const command of commands) {
    const decision = decider.decide(state, command);
    if ('refusal' in decision) throw new Error(decision.refusal.message);
    for (const event of decision.events) state = decider.evolve(state, event as unknown as Recorded<E>);
  }
  return (command: C) => decider.decide(state, command);
}

describe('a repository', () => {
  const when = (...commands: RepositoryCommand[]) =>
    given<unknown, RepositoryCommand, RepositoryEvent>(repositoryDecider as never, ...commands);

  it('is made once, and is gone once deleted', () => {
    expect(when()(CREATE)).toMatchObject({ events: [{ type: 'RepositoryCreated' }] });
    expect(when(CREATE)(CREATE)).toMatchObject({ refusal: { kind: 'exists' } });
    expect(when(CREATE)({ type: 'DeleteRepository', ...id })).toMatchObject({
      events: [{ type: 'RepositoryDeleted' }],
    });
    for (const type of ['DeleteRepository', 'SetMetadata'] as const) {
      const command = { type, ...id, metadata: {} } as RepositoryCommand;
      expect(when(CREATE, { type: 'DeleteRepository', ...id })(command)).toMatchObject({
        refusal: { kind: 'not-found' },
      });
    }
  });

  it('keeps its metadata as one whole value, and says nothing when it stays the same', () => {
    const set = (metadata: Record<string, string>): RepositoryCommand => ({ type: 'SetMetadata', ...id, metadata });
    expect(when(CREATE, set({ a: '1' }))(set({ b: '2' }))).toMatchObject({
      events: [{ data: { metadata: { a: '1', b: '2' } } }],
    });
    expect(when(CREATE, set({ a: '1' }))(set({ a: '1' }))).toEqual({ events: [] });
    const remove: RepositoryCommand = { type: 'RemoveMetadata', ...id, keys: ['a', 'none'] };
    expect(when(CREATE, set({ a: '1', b: '2' }))(remove)).toMatchObject({
      events: [{ data: { metadata: { b: '2' } } }],
    });
    expect(when(CREATE)(remove)).toEqual({ events: [] });
  });

  it('replaces its branch protection only while it is as the client saw it', () => {
    const protect = (patterns: string[], expectedPatterns?: string[]): RepositoryCommand => ({
      type: 'ReplaceBranchProtection',
      ...id,
      patterns,
      ...(expectedPatterns && { expectedPatterns }),
    });
    expect(when(CREATE, protect(['main']))(protect(['*'], ['main']))).toMatchObject({ events: [{}] });
    expect(when(CREATE, protect(['main']))(protect(['*'], []))).toMatchObject({ refusal: { kind: 'precondition' } });
    expect(when(CREATE, protect(['main']))(protect(['main']))).toEqual({ events: [] });
  });
});

describe('the name of a repository', () => {
  const claim = (repositoryId: string) => ({ type: 'ClaimName', name: 'flights', repositoryId }) as const;
  const release = (repositoryId: string) => ({ type: 'ReleaseName', name: 'flights', repositoryId }) as const;
  const when = (...commands: (ReturnType<typeof claim> | ReturnType<typeof release>)[]) =>
    given<unknown, (typeof commands)[number], RepositoryNameEvent>(repositoryNameDecider as never, ...commands);

  it('is held by one at a time, and given back by its holder alone', () => {
    expect(when(claim('a'))(claim('b'))).toMatchObject({ refusal: { kind: 'exists' } });
    expect(when(claim('a'))(release('b'))).toMatchObject({ refusal: { kind: 'not-found' } });
    expect(when(claim('a'), release('a'))(claim('b'))).toMatchObject({ events: [{ type: 'NameClaimed' }] });
  });
});
