import { z } from 'zod';
import { defineEvent, type EventDefinition, type EventOf } from '../event-definition';

/** What a user may be allowed; what each role includes stands in access-control. */
export const ROLES = ['reader', 'contributor', 'approver', 'deployer', 'admin'] as const;
export type Role = (typeof ROLES)[number];

const tenant = { tenantId: z.string() };
const user = { userId: z.string() };
const key = { keyId: z.string(), ...user };

const TENANT = { tenantId: 'acme' };
const USER = { userId: '0199f1c2-0000-7000-8000-00000000000a' };
const KEY = { keyId: 'AKIAJ0123456789ABCDQ', ...USER };

function accessEvent<const T extends string, D extends z.ZodObject>(
  type: T,
  summary: string,
  data: D,
  example: z.input<D>,
): EventDefinition<T, D> {
  return defineEvent({ service: 'access', type, schema: 1, summary, data, example });
}

const tenantEvents = [
  accessEvent('TenantCreated', 'A tenant exists; its id is never used again.', z.object(tenant), TENANT),
  accessEvent(
    'TenantClosed',
    'No key of the tenant is accepted any more.',
    z.object({ ...tenant, reason: z.string() }),
    { ...TENANT, reason: 'the trial ended' },
  ),
  accessEvent(
    'SetupCompleted',
    'A lakeFS client has set the tenant up with a key of its own; it can be done once.',
    z.object({ ...tenant, keyId: z.string() }),
    { ...TENANT, keyId: KEY.keyId },
  ),
] as const;

const userEvents = [
  accessEvent('UserCreated', 'A user exists. Names stay in the access service, outside the log.', z.object(user), USER),
  accessEvent('RoleGranted', 'A user holds a role.', z.object({ ...user, role: z.enum(ROLES) }), {
    ...USER,
    role: 'contributor',
  }),
  accessEvent('RoleRevoked', 'A user holds a role no more.', z.object({ ...user, role: z.enum(ROLES) }), {
    ...USER,
    role: 'contributor',
  }),
  accessEvent('UserRemoved', 'A user is gone, and with them every key.', z.object({ ...user, reason: z.string() }), {
    ...USER,
    reason: 'left the team',
  }),
] as const;

const keyEvents = [
  accessEvent(
    'KeyIssued',
    'A user has a key. The secret is here only as a digest, and sealed under the master key for AWS signatures.',
    z.object({
      ...key,
      /** Hex SHA-256 of the secret's UTF-8 bytes. */
      secretSha256: z.string().regex(/^[0-9a-f]{64}$/),
      /** `v1.<nonce>.<ciphertext and tag>`, base64url, AES-256-GCM. */
      sealedSecret: z.string(),
    }),
    { ...KEY, secretSha256: 'ab'.repeat(32), sealedSecret: 'v1.bm9uY2Utbm9uY2U.c2VhbGVk' },
  ),
  accessEvent(
    'KeyRevoked',
    'A key is refused from now on; it never comes back.',
    z.object({ ...key, reason: z.string() }),
    { ...KEY, reason: 'rotated' },
  ),
] as const;

export const accessEvents = [
  ...tenantEvents,
  ...userEvents,
  ...keyEvents,
] as const satisfies readonly EventDefinition[];

/** What stands on `<tenant>/tenant:<tenant>`. */
export type TenantEvent = EventOf<(typeof tenantEvents)[number]>;
/** What stands on `<tenant>/user:<userId>`. */
export type UserEvent = EventOf<(typeof userEvents)[number]>;
/** What stands on `<tenant>/key:<keyId>`. */
export type KeyEvent = EventOf<(typeof keyEvents)[number]>;
export type AccessEvent = TenantEvent | UserEvent | KeyEvent;
