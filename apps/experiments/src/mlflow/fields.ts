import { metricValue } from '@mledger/contracts';
import { z } from 'zod';

/**
 * The fields of MLflow's messages as protobuf's JSON form has them: null is absent, unknown fields are passed over, 64-bit
 * integers may be text, non-finite numbers are text, an enum is a name or its number.
 */

export const text = z.string();

export const required = z.string().min(1, 'is required');

/** Text that may be left out; an empty one is protobuf's absent one. */
export const optionalText = z
  .string()
  .nullish()
  .transform((value) => (value ? value : undefined));

/** Text that is empty when it is left out. */
export const textOrEmpty = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

export const integer = z.preprocess(
  (value) => (typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? Number(value) : value),
  z.int({ error: 'must be a whole number, at most 2^53' }),
);

export const optionalInteger = z.preprocess((value) => value ?? undefined, integer.optional());

/** A metric's value; a number as text is read as one, as protobuf does. */
export const double = z.preprocess((value) => {
  if (typeof value !== 'string' || value.trim() === '') return value;
  const number = Number(value);
  return Number.isFinite(number) ? number : value;
}, metricValue);

export const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

/** A repeated field of a query string: there once, often or not at all. */
export const queryList = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .transform((values) => (values === undefined ? [] : [values].flat()));

/** An enum by name, or by its number in the protocol's definition (as a number or as text). */
export const enumOf = <const N extends string>(numbers: Readonly<Record<N, number>>) => {
  const names = Object.keys(numbers) as N[];
  return z.preprocess(
    (value) => names.find((name) => String(numbers[name]) === String(value)) ?? value,
    z.enum(names as [N, ...N[]]),
  );
};

export const optionalEnum = <const N extends string>(numbers: Readonly<Record<N, number>>) =>
  z.preprocess((value) => value ?? undefined, enumOf(numbers).optional());

export const VIEW = { ACTIVE_ONLY: 1, DELETED_ONLY: 2, ALL: 3 } as const;
export const RUN_STATUS = { RUNNING: 1, SCHEDULED: 2, FINISHED: 3, FAILED: 4, KILLED: 5 } as const;

export const keyValue = z.object({ key: text, value: textOrEmpty });

/** How many results a page may have; more is refused, as is none. */
export const maxResults = (initial: number, max: number) =>
  z.preprocess(
    (value) => value ?? undefined,
    z
      .preprocess((value) => (typeof value === 'string' ? Number(value) : value), z.int().min(1).max(max))
      .default(initial),
  );
