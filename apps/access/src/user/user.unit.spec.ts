import { ROLES, type Role, type UserEvent } from '@mledger/contracts';
import type { Recorded } from '@mledger/event-log';
import fc from 'fast-check';
import { given } from '../../test/given';
import { userDecider } from './user';

const userId = 'u1';
const created: UserEvent = { type: 'UserCreated', data: { userId } };
const granted = (role: Role): UserEvent => ({ type: 'RoleGranted', data: { userId, role } });
const revoked = (role: Role): UserEvent => ({ type: 'RoleRevoked', data: { userId, role } });
const removed: UserEvent = { type: 'UserRemoved', data: { userId, reason: '' } };
const user = (...events: UserEvent[]) => given(userDecider, events);

describe('a user', () => {
  it('is created once, with roles', () => {
    const create = { type: 'CreateUser', userId, roles: ['admin', 'reader', 'reader'] } as const;
    expect(user().when(create)).toEqual({ events: [created, granted('reader'), granted('admin')] });
    expect(user(created).when(create)).toEqual({ refusal: { kind: 'exists', code: 'USER_EXISTS' } });
    expect(user(created, removed).when(create)).toMatchObject({ refusal: { kind: 'exists' } });
  });

  it('is granted and revoked what is different', () => {
    const set = (...roles: Role[]) => ({ type: 'SetRoles', userId, roles }) as const;
    expect(user(created, granted('reader')).when(set('reader'))).toEqual({ events: [] });
    expect(user(created, granted('reader')).when(set('admin'))).toEqual({
      events: [granted('admin'), revoked('reader')],
    });
    expect(user().when(set('admin'))).toEqual({ refusal: { kind: 'not-found', code: 'USER_NOT_FOUND' } });
  });

  it('is gone after it was removed', () => {
    const remove = { type: 'RemoveUser', userId, reason: '' } as const;
    expect(user(created).when(remove)).toEqual({ events: [removed] });
    expect(user(created, removed).when(remove)).toMatchObject({ refusal: { kind: 'not-found' } });
    expect(user(created, removed).when({ type: 'SetRoles', userId, roles: ['admin'] })).toMatchObject({
      refusal: { kind: 'not-found' },
    });
  });

  it('holds exactly the roles that were set last, whatever went before', () => {
    const roles = fc.subarray([...ROLES]);
    fc.assert(
      fc.property(fc.array(roles, { minLength: 1 }), (wishes) => {
        let state = userDecider.evolve(userDecider.initial, created as Recorded<UserEvent>);
        for (const wish of wishes) {
          const decision = userDecider.decide(state, { type: 'SetRoles', userId, roles: wish });
          if ('events' in decision)
            for (const event of decision.events) state = userDecider.evolve(state, event as Recorded<UserEvent>);
          expect(state.roles).toEqual(wish);
        }
      }),
    );
  });
});
