/** The values of one feature, without missing and non-finite ones, in the form in which they are compared. */
export type Sample = NumericSample | CategoricalSample;

export interface NumericSample {
  readonly kind: 'numeric';
  /** Ascending. */
  readonly sorted: Float64Array;
}

export interface CategoricalSample {
  readonly kind: 'categorical';
  readonly counts: ReadonlyMap<string, number>;
  readonly size: number;
}

/** What a row may hold of a feature; null is missing. */
export type Cell = number | string | boolean | null;

/** Beyond it squares overflow, so a number counts as infinite. */
export const MAGNITUDE_MAX = 1e150;

/** NaN and ±Infinity are dropped first, as Evidently does, and so is all that is no number. */
export function numericSample(cells: readonly Cell[]): NumericSample {
  const finite = cells.map(numberOf).filter((value) => Math.abs(value) <= MAGNITUDE_MAX);
  return { kind: 'numeric', sorted: Float64Array.from(finite).sort() };
}

/** Categories are told apart by their text: a code may be 3 in one place and "3" in another. */
export function categoricalSample(cells: readonly Cell[]): CategoricalSample {
  const counts = new Map<string, number>();
  let size = 0;
  for (const cell of cells) {
    if (cell === null || (typeof cell === 'number' && !Number.isFinite(cell))) continue;
    const category = String(cell);
    counts.set(category, (counts.get(category) ?? 0) + 1);
    size += 1;
  }
  return { kind: 'categorical', counts, size };
}

export function sizeOf(sample: Sample): number {
  return sample.kind === 'numeric' ? sample.sorted.length : sample.size;
}

function numberOf(cell: Cell): number {
  return typeof cell === 'number' ? cell : typeof cell === 'boolean' ? Number(cell) : Number.NaN;
}

/** How many different values there are. */
export function distinctOf(sample: Sample): number {
  if (sample.kind === 'categorical') return sample.counts.size;
  let distinct = 0;
  let last = Number.NaN;
  for (const value of sample.sorted) {
    if (value !== last) distinct += 1;
    last = value;
  }
  return distinct;
}
