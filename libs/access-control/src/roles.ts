import type { Role, RouteRole } from '@mledger/contracts';

/**
 * What each role includes besides itself. Approving and deploying do not include contributing: whoever agrees to a
 * promotion should not need the right to make the thing that is promoted.
 *
 * | role        | may                                                              |
 * |-------------|------------------------------------------------------------------|
 * | reader      | read everything of the tenant                                    |
 * | contributor | also write data, runs, models, pipelines' runs, and ask for promotions |
 * | approver    | read, set promotion policies, approve and reject                 |
 * | deployer    | read, and change what serves: endpoints, traffic, roll-backs     |
 * | admin       | all of these, and users, keys, pipelines that run commands, operations |
 */
const INCLUDES: Readonly<Record<Role, readonly Role[]>> = {
  reader: [],
  contributor: ['reader'],
  approver: ['reader'],
  deployer: ['reader'],
  admin: ['reader', 'contributor', 'approver', 'deployer'],
};

/** Whether somebody who holds these roles may call a route that asks for `needed`. */
export function roleSatisfies(held: readonly Role[], needed: RouteRole): boolean {
  if (needed === 'public' || needed === 'any') return true;
  return held.some((role) => role === needed || INCLUDES[role].includes(needed));
}

/** The roles that all of `roles` together give, each once, in the order of the table. */
export function impliedRoles(roles: readonly Role[]): Role[] {
  return (Object.keys(INCLUDES) as Role[]).filter((role) => roleSatisfies(roles, role));
}
