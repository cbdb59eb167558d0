import type { EndpointFollows } from '@mledger/contracts';
import { ApiError } from '@mledger/service-kit';
import { z } from 'zod';

/** One segment of a path, which is also the model name under /v2/models. */
export const endpointName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,127}$/, 'must be 1 to 128 letters, digits, _ . - and begin with a letter or digit');

export const endpointBody = z.object({ model: z.string() });
export const rollbackBody = z.object({
  toRevision: z.number().int().positive().nullable().default(null),
  reason: z.string().min(1).max(1000),
});
export const trafficBody = z.object({
  shares: z
    .array(z.object({ revision: z.number().int().positive(), percent: z.number().min(0).max(100) }))
    .min(1)
    .max(20),
  reason: z.string().min(1).max(1000),
});
export const shadowsBody = z.object({
  revision: z.number().int().positive(),
  attached: z.boolean().default(true),
});

/**
 * Reads what an endpoint follows: `models:/<name>@<alias>` or `models:/<name>/<version>`. An alias is what the registry takes
 * as one: letters and digits of any script, `_` and `-`.
 *
 * @throws ApiError 400 for anything else
 */
export function parseFollows(uri: string): EndpointFollows {
  const match = /^models:\/([^/:@]+)(?:@([\p{L}\p{N}_-]+)|\/([1-9]\d{0,8}))$/u.exec(uri);
  const [, model, alias, version] = match ?? [];
  if (!model) throw ApiError.invalid(`model ${uri} is neither models:/<name>@<alias> nor models:/<name>/<version>`);
  return { model, alias: alias ?? null, version: version === undefined ? null : Number(version) };
}
