import type { TagEvent } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider } from '@mledger/event-log';

export interface TagState {
  readonly commitId: string | undefined;
}

interface TagIdentity {
  readonly repositoryId: string;
  readonly repository: string;
  readonly tag: string;
}

export type TagCommand =
  | (TagIdentity & { readonly type: 'CreateTag'; readonly commitId: string; readonly ref: string })
  | (TagIdentity & { readonly type: 'DeleteTag' })
  /** Holds the name still while a branch of the same name is made. */
  | { readonly type: 'AssertAbsent' };

export const tagDecider: Decider<TagState, TagCommand, TagEvent> = {
  kind: 'tag',
  initial: { commitId: undefined },
  decide(state, command) {
    switch (command.type) {
      case 'AssertAbsent':
        if (state.commitId !== undefined) return refuse('exists', 'NOT_UNIQUE', 'a tag has this name: not unique');
        return accept();
      case 'CreateTag': {
        if (state.commitId !== undefined) return refuse('exists', 'NOT_UNIQUE', 'tag already exists: not unique');
        const { type: _, ...data } = command;
        return accept({ type: 'TagCreated', data });
      }
      case 'DeleteTag': {
        if (state.commitId === undefined) return refuse('not-found', 'TAG_NOT_FOUND', 'tag not found');
        const { type: _, ...data } = command;
        return accept({ type: 'TagDeleted', data: { ...data, commitId: state.commitId } });
      }
      default:
        return unreachable(command);
    }
  },
  evolve(_state, event) {
    return { commitId: event.type === 'TagCreated' ? event.data.commitId : undefined };
  },
};
