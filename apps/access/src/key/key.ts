import type { KeyEvent } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider, type Decision, type Recorded } from '@mledger/event-log';

export type KeyCommand =
  | {
      readonly type: 'IssueKey';
      readonly keyId: string;
      readonly userId: string;
      readonly secretSha256: string;
      readonly sealedSecret: string;
    }
  | { readonly type: 'RevokeKey'; readonly keyId: string; readonly reason: string };

export interface KeyState {
  readonly status: 'absent' | 'valid' | 'revoked';
  readonly userId: string;
}

function decide(state: KeyState, command: KeyCommand): Decision<KeyEvent> {
  switch (command.type) {
    case 'IssueKey': {
      const { type: _, ...data } = command;
      if (state.status !== 'absent')
        return refuse('exists', 'KEY_EXISTS', `the key id ${command.keyId} is used: choose another`);
      return accept({ type: 'KeyIssued', data });
    }
    case 'RevokeKey': {
      const { keyId, reason } = command;
      if (state.status === 'absent') return refuse('not-found', 'KEY_NOT_FOUND', `there is no key ${keyId}`);
      if (state.status === 'revoked') return accept();
      return accept({ type: 'KeyRevoked', data: { keyId, userId: state.userId, reason } });
    }
    default:
      return unreachable(command);
  }
}

function evolve(state: KeyState, event: Recorded<KeyEvent>): KeyState {
  switch (event.type) {
    case 'KeyIssued':
      return { status: 'valid', userId: event.data.userId };
    case 'KeyRevoked':
      return { ...state, status: 'revoked' };
    default:
      return unreachable(event);
  }
}

export const keyDecider: Decider<KeyState, KeyCommand, KeyEvent> = {
  kind: 'key',
  initial: { status: 'absent', userId: '' },
  decide,
  evolve,
};
