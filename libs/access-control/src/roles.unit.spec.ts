import { ROLES } from '@mledger/contracts';
import { impliedRoles, roleSatisfies } from './roles';

describe('roles', () => {
  it.each([
    ['reader', ['reader']],
    ['contributor', ['reader', 'contributor']],
    ['approver', ['reader', 'approver']],
    ['deployer', ['reader', 'deployer']],
    ['admin', ['reader', 'contributor', 'approver', 'deployer', 'admin']],
  ] as const)('%s gives %j', (role, implied) => {
    expect(impliedRoles([role])).toEqual(implied);
    for (const needed of ROLES)
      expect(roleSatisfies([role], needed)).toBe((implied as readonly string[]).includes(needed));
  });

  it('add up, and none gives nothing', () => {
    expect(impliedRoles(['approver', 'contributor'])).toEqual(['reader', 'contributor', 'approver']);
    expect(ROLES.some((role) => roleSatisfies([], role))).toBe(false);
    expect(roleSatisfies([], 'any')).toBe(true);
  });
});
