import { CommandRefused, lockKey } from '@mledger/event-log';
import type { EntityManager } from 'typeorm';
import { ADMIN_WITH_KEY } from './last-admin.sql';

/**
 * For a transaction that takes a user, a role or a key away, after its events. A tenant without an admin who has a key is
 * locked for good: tenant `system` manages tenants, but issues no keys in them.
 *
 * Every user and every key is a stream of its own, so no stream knows who is left. The directory does, whose rows these events have just
 * changed, and one transaction of a tenant at a time looks at it: of two admins who remove each other, the second sees what
 * the first did. The lock comes after those of the streams, and whoever holds it waits for no other.
 *
 * @throws CommandRefused conflict
 */
export async function assertAdminIsLeft(manager: EntityManager, tenant: string): Promise<void> {
  await manager.query('select pg_advisory_xact_lock($1::bigint)', [String(lockKey('access', 'last-admin', tenant))]);
  const [{ found }] = (await manager.query(ADMIN_WITH_KEY, [tenant])) as [{ found: boolean }];
  if (found) return;
  throw new CommandRefused({
    kind: 'conflict',
    code: 'LAST_ADMIN',
    message: `no admin of tenant ${tenant} would have a key any more: issue another one, or make another admin with one, first`,
  });
}
