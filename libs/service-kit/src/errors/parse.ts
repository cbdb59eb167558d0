import type { z } from 'zod';
import { ApiError } from './api-error';

const ISSUES_MAX = 10;

/**
 * Reads a request's part by its schema.
 *
 * @param where what is read, for the message: `body`, `query`
 * @throws ApiError 400 naming each field at fault and what it must be
 */
export function parse<S extends z.ZodType>(schema: S, input: unknown, where = 'body'): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const fields = result.error.issues.slice(0, ISSUES_MAX).map((issue) => ({
    field: issue.path.length === 0 ? where : issue.path.map(String).join('.'),
    // Of a key its own message says only that it is invalid.
    message: (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message,
  }));
  throw ApiError.invalid(fields.map(({ field, message }) => `${field}: ${message}`).join('; '), { fields });
}
