import type { ColumnOptions } from 'typeorm';

type RequiredColumn = ColumnOptions & { nullable?: false };

/** A whole number up to 2^53 in a bigint column; Postgres' driver would hand it over as text. */
export const integer = (name: string): RequiredColumn => ({
  type: 'bigint',
  name,
  transformer: {
    from: (value: string | null) => (value === null ? null : Number(value)),
    to: (value: number | null) => value,
  },
});

export const text = (name: string): RequiredColumn => ({ type: 'text', name });
