import { ROLES, type Role, type UserEvent } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider, type Decision, type Recorded } from '@mledger/event-log';

export type UserCommand =
  | { readonly type: 'CreateUser'; readonly userId: string; readonly roles: readonly Role[] }
  | { readonly type: 'SetRoles'; readonly userId: string; readonly roles: readonly Role[] }
  | { readonly type: 'RemoveUser'; readonly userId: string; readonly reason: string };

export interface UserState {
  readonly status: 'absent' | 'present' | 'removed';
  readonly roles: readonly Role[];
}

function decide(state: UserState, command: UserCommand): Decision<UserEvent> {
  const { userId } = command;
  if (command.type === 'CreateUser') {
    if (state.status !== 'absent') return refuse('exists', 'USER_EXISTS', `user ${userId} exists`);
    return accept({ type: 'UserCreated', data: { userId } }, ...roleEvents(userId, [], command.roles));
  }
  if (state.status !== 'present') return refuse('not-found', 'USER_NOT_FOUND', `there is no user ${userId}`);
  switch (command.type) {
    case 'SetRoles':
      return accept(...roleEvents(userId, state.roles, command.roles));
    case 'RemoveUser':
      return accept({ type: 'UserRemoved', data: { userId, reason: command.reason } });
    default:
      return unreachable(command);
  }
}

function roleEvents(userId: string, from: readonly Role[], to: readonly Role[]): UserEvent[] {
  const granted = ROLES.filter((role) => to.includes(role) && !from.includes(role));
  const revoked = ROLES.filter((role) => from.includes(role) && !to.includes(role));
  return [
    ...granted.map((role): UserEvent => ({ type: 'RoleGranted', data: { userId, role } })),
    ...revoked.map((role): UserEvent => ({ type: 'RoleRevoked', data: { userId, role } })),
  ];
}

function evolve(state: UserState, event: Recorded<UserEvent>): UserState {
  switch (event.type) {
    case 'UserCreated':
      return { status: 'present', roles: [] };
    case 'RoleGranted':
      return { ...state, roles: ROLES.filter((role) => state.roles.includes(role) || role === event.data.role) };
    case 'RoleRevoked':
      return { ...state, roles: state.roles.filter((role) => role !== event.data.role) };
    case 'UserRemoved':
      return { status: 'removed', roles: [] };
    default:
      return unreachable(event);
  }
}

export const userDecider: Decider<UserState, UserCommand, UserEvent> = {
  kind: 'user',
  initial: { status: 'absent', roles: [] },
  decide,
  evolve,
};
