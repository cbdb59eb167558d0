import type { RowChange } from './projection';

/** A row by its key's text. */
export type Rows<Row> = ReadonlyMap<string, Row>;

export interface RowOutcome<Row> {
  /** Keys in the order of their first change. */
  readonly put: Map<string, Row>;
  readonly removed: Map<string, Partial<Row>>;
}

/** The keys whose present rows the changes will ask for: those not put or removed before by the same batch. */
export function keysToRead<Row extends object>(
  changes: readonly RowChange<Row>[],
  keyOf: (row: Partial<Row>) => string,
): Map<string, Partial<Row>> {
  const known = new Set<string>();
  const needed = new Map<string, Partial<Row>>();
  for (const change of changes) {
    const target = targetOf(change);
    const key = keyOf(target);
    if ('by' in change && !known.has(key)) needed.set(key, target);
    known.add(key);
  }
  return needed;
}

/** Folds changes over the present rows, in order; the same however the changes are cut into batches. */
export function foldChanges<Row extends object>(
  changes: readonly RowChange<Row>[],
  present: Rows<Row>,
  keyOf: (row: Partial<Row>) => string,
): RowOutcome<Row> {
  const put = new Map<string, Row>();
  const removed = new Map<string, Partial<Row>>();
  for (const change of changes) {
    const target = targetOf(change);
    const key = keyOf(target);
    const next = nextRow(change, removed.has(key) ? undefined : (put.get(key) ?? present.get(key)));
    if (next === undefined) {
      put.delete(key);
      removed.set(key, target);
      continue;
    }
    if (keyOf(next) !== key) throw new Error(`a change of row ${key} returned a row with another key, ${keyOf(next)}`);
    removed.delete(key);
    put.set(key, next);
  }
  return { put, removed };
}

function targetOf<Row extends object>(change: RowChange<Row>): Partial<Row> {
  if ('put' in change) return change.put;
  return 'remove' in change ? change.remove : change.change;
}

function nextRow<Row extends object>(change: RowChange<Row>, current: Row | undefined): Row | undefined {
  if ('put' in change) return change.put;
  return 'remove' in change ? undefined : change.by(current);
}
