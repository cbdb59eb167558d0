import type { Recorded, Sequenced } from '../event';

/** What an event does to one row. Keys are the entity's primary columns. */
export type RowChange<Row extends object> = { readonly put: Row } | { readonly remove: Partial<Row> } | RowUpdate<Row>;

export interface RowUpdate<Row extends object> {
  readonly change: Partial<Row>;
  /** The new row from the present one, undefined for none; pure. The present one is never changed in place. */
  by(row: Row | undefined): Row | undefined;
}

/**
 * A table that answers queries, made from events alone: dropped and rebuilt it is the same to the byte. So its input is the event
 * and the row, nothing else: no clock, no serial, no column default, no look-up elsewhere.
 */
export interface Projection<Row extends object = object> {
  /** Snake case; the view that queries read, and the name in `@Entity({ name })`. */
  readonly name: string;
  /** `inline`: in the append's transaction, for rows that one stream owns. `async`: by seq, for rows that many streams share. */
  readonly mode: 'inline' | 'async';
  /** The one declaration of columns, keys and indexes. */
  readonly entity: new () => Row;
  readonly types: readonly string[];
  /** Async projections get sequenced events; inline ones get the event before it has a seq. */
  project(event: Recorded | Sequenced): RowChange<Row>[];
}
