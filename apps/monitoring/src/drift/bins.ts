import { distinctOf, type NumericSample, type Sample } from './sample';

/** Counts over the same bins or categories. */
export interface BinnedCounts {
  readonly reference: readonly number[];
  readonly current: readonly number[];
}

/** With more distinct values than this in the reference a numeric feature is binned, else each value is a category. */
export const DISTINCT_UNBINNED_MAX = 20;
/** No rule asks for more; a user may not either. */
export const BINS_MAX = 1_000;

/**
 * Counts of both samples, in equal-width bins over the two together where there are many distinct values, else one a value.
 *
 * @param binsWanted how many equal-width bins; null: numpy's Sturges rule
 */
export function binnedCounts(reference: Sample, current: Sample, binsWanted: number | null): BinnedCounts {
  if (reference.kind === 'numeric' && current.kind === 'numeric') {
    if (binsWanted !== null || distinctOf(reference) > DISTINCT_UNBINNED_MAX) {
      const edges = binEdges(reference.sorted, current.sorted, binsWanted);
      return { reference: histogram(reference.sorted, edges), current: histogram(current.sorted, edges) };
    }
  }
  return categoryCounts(reference, current);
}

/** One bin a value or category that either sample has. */
export function categoryCounts(reference: Sample, current: Sample): BinnedCounts {
  const ofReference = countsOf(reference);
  const ofCurrent = countsOf(current);
  const categories = [...new Set([...ofReference.keys(), ...ofCurrent.keys()])];
  return {
    reference: categories.map((category) => ofReference.get(category) ?? 0),
    current: categories.map((category) => ofCurrent.get(category) ?? 0),
  };
}

function countsOf(sample: Sample): ReadonlyMap<string | number, number> {
  if (sample.kind === 'categorical') return sample.counts;
  const counts = new Map<number, number>();
  for (const value of sample.sorted) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** As `numpy.histogram_bin_edges(…, bins="sturges")` over both; a range of no width is widened by a half on either side. */
export function binEdges(
  reference: NumericSample['sorted'],
  current: NumericSample['sorted'],
  binsWanted: number | null,
): Float64Array {
  const least = Math.min(reference[0] ?? Infinity, current[0] ?? Infinity);
  const greatest = Math.max(reference.at(-1) ?? -Infinity, current.at(-1) ?? -Infinity);
  const bins = binsWanted ?? sturgesBins(greatest - least, reference.length + current.length);
  const [first, last] = least === greatest ? [least - 0.5, greatest + 0.5] : [least, greatest];
  const width = (last - first) / bins;
  const edges = Float64Array.from({ length: bins + 1 }, (_, index) => first + index * width);
  edges[bins] = last;
  return edges;
}

/** By the width and back, not by the logarithm alone: where that is a whole number, numpy's rounding decides. */
function sturgesBins(range: number, count: number): number {
  const width = range / (Math.log2(count) + 1);
  return width > 0 ? Math.ceil(range / width) : 1;
}

/** Bins are closed on the left and open on the right, but for the last, which is closed. */
function histogram(sorted: Float64Array, edges: Float64Array): number[] {
  const bins = edges.length - 1;
  const below = Array.from({ length: bins }, (_, index) => countBelow(sorted, edges[index]!));
  return below.map((start, index) => (index + 1 < bins ? below[index + 1]! : sorted.length) - start);
}

function countBelow(sorted: Float64Array, bound: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function sharesOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => count / total);
}
