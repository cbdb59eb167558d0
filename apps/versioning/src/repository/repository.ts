import type { RepositoryEvent, RepositoryNameEvent } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider, type Decision } from '@mledger/event-log';

export interface RepositoryState {
  readonly isThere: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly protectedPatterns: readonly string[];
}

interface RepositoryIdentity {
  readonly repositoryId: string;
  readonly repository: string;
}

export type RepositoryCommand = RepositoryIdentity &
  (
    | {
        readonly type: 'CreateRepository';
        readonly storageNamespace: string;
        readonly defaultBranch: string;
        readonly readOnly: boolean;
      }
    | { readonly type: 'SetMetadata'; readonly metadata: Readonly<Record<string, string>> }
    | { readonly type: 'RemoveMetadata'; readonly keys: readonly string[] }
    | {
        readonly type: 'ReplaceBranchProtection';
        readonly patterns: readonly string[];
        /** What the client read before, where it wants to be sure that nobody changed it since. */
        readonly expectedPatterns?: readonly string[];
      }
    | { readonly type: 'DeleteRepository' }
  );

export const repositoryDecider: Decider<RepositoryState, RepositoryCommand, RepositoryEvent> = {
  kind: 'repository',
  initial: { isThere: false, metadata: {}, protectedPatterns: [] },
  decide(state, command) {
    const { repositoryId, repository } = command;
    const data = { repositoryId, repository };
    if (command.type === 'CreateRepository') {
      if (state.isThere) return refuse('exists', 'NOT_UNIQUE', 'error creating repository: not unique');
      const { storageNamespace, defaultBranch, readOnly } = command;
      return accept({ type: 'RepositoryCreated', data: { ...data, storageNamespace, defaultBranch, readOnly } });
    }
    if (!state.isThere) return refuse('not-found', 'REPOSITORY_NOT_FOUND', 'repository not found');
    switch (command.type) {
      case 'SetMetadata':
        return replaceMetadata(state, data, { ...state.metadata, ...command.metadata });
      case 'RemoveMetadata': {
        const kept = Object.entries(state.metadata).filter(([key]) => !command.keys.includes(key));
        return replaceMetadata(state, data, Object.fromEntries(kept));
      }
      case 'ReplaceBranchProtection': {
        const { patterns, expectedPatterns } = command;
        if (expectedPatterns && !sameList(expectedPatterns, state.protectedPatterns)) {
          return refuse('precondition', 'PROTECTION_CHANGED', 'the rules have changed since: read them again');
        }
        if (sameList(patterns, state.protectedPatterns)) return accept();
        return accept({ type: 'BranchProtectionReplaced', data: { ...data, patterns: [...patterns] } });
      }
      case 'DeleteRepository':
        return accept({ type: 'RepositoryDeleted', data });
      default:
        return unreachable(command);
    }
  },
  evolve(state, event) {
    switch (event.type) {
      case 'RepositoryCreated':
        return { ...state, isThere: true };
      case 'RepositoryMetadataReplaced':
        return { ...state, metadata: event.data.metadata };
      case 'BranchProtectionReplaced':
        return { ...state, protectedPatterns: event.data.patterns };
      case 'RepositoryDeleted':
        return { ...state, isThere: false };
      default:
        return unreachable(event);
    }
  },
};

function replaceMetadata(
  state: RepositoryState,
  data: RepositoryIdentity,
  metadata: Record<string, string>,
): Decision<RepositoryEvent> {
  const before = Object.entries(state.metadata);
  const isSame =
    before.length === Object.keys(metadata).length && before.every(([key, value]) => metadata[key] === value);
  return isSame ? accept() : accept({ type: 'RepositoryMetadataReplaced', data: { ...data, metadata } });
}

function sameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index]);
}

export interface RepositoryNameState {
  readonly repositoryId: string | undefined;
}

export type RepositoryNameCommand = {
  readonly type: 'ClaimName' | 'ReleaseName';
  readonly name: string;
  readonly repositoryId: string;
};

/** Who holds a name; appended together with the repository's own events, so that a name is never held twice. */
export const repositoryNameDecider: Decider<RepositoryNameState, RepositoryNameCommand, RepositoryNameEvent> = {
  kind: 'repository-name',
  initial: { repositoryId: undefined },
  decide(state, { type, name, repositoryId }) {
    if (type === 'ClaimName') {
      if (state.repositoryId !== undefined) {
        return refuse('exists', 'NOT_UNIQUE', 'error creating repository: not unique');
      }
      return accept({ type: 'NameClaimed', data: { name, repositoryId } });
    }
    if (state.repositoryId !== repositoryId) return refuse('not-found', 'REPOSITORY_NOT_FOUND', 'repository not found');
    return accept({ type: 'NameReleased', data: { name, repositoryId } });
  },
  evolve(_state, event) {
    return { repositoryId: event.type === 'NameClaimed' ? event.data.repositoryId : undefined };
  },
};
