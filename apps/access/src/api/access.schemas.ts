import { ROLES } from '@mledger/contracts';
import { z } from 'zod';

/** Printable, without what could be read as a path or as the separator of a credential. */
export const userName = z
  .string()
  .min(1)
  .max(128)
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N} ._@+-]*$/u,
    'must begin with a letter or digit, and hold only those, spaces and . _ @ + -',
  );

export const roles = z.array(z.enum(ROLES, { error: `must be one of ${ROLES.join(', ')}` })).max(ROLES.length);

export const newTenantBody = z.object({
  tenantId: z.string(),
  adminName: userName.default('admin'),
});
export const newUserBody = z.object({ name: userName, roles: roles.default([]) });
export const rolesBody = z.object({ roles });
export const newKeyBody = z.object({ userId: z.string().min(1).max(64).optional() }).default({});
export const reasonQuery = z.object({ reason: z.string().max(1000).default('') });

export const pageQuery = z.object({
  after: z.string().max(256).default(''),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export const keysQuery = pageQuery.extend({ userId: z.string().max(64).optional() });

/** Part of a path that names something: what streams are named by, so no slash. */
export const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of letters, digits, "_" and "-"');
