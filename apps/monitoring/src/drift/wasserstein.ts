import { populationDeviation } from './moments';

/** A reference that hardly varies would make any difference look large. */
const DEVIATION_MIN = 0.001;

/** The first Wasserstein distance of two ascending samples, in standard deviations of the reference. */
export function normalisedWasserstein(reference: Float64Array, current: Float64Array): number {
  return wasserstein(reference, current) / Math.max(populationDeviation(reference), DEVIATION_MIN);
}

/** The area between the two empirical distribution functions. */
function wasserstein(one: Float64Array, other: Float64Array): number {
  let area = 0;
  let i = 0;
  let j = 0;
  let at = Math.min(one[0]!, other[0]!);
  while (i < one.length || j < other.length) {
    const next = Math.min(one[i] ?? Infinity, other[j] ?? Infinity);
    area += Math.abs(i / one.length - j / other.length) * (next - at);
    at = next;
    while (i < one.length && one[i] === at) i += 1;
    while (j < other.length && other[j] === at) j += 1;
  }
  return area;
}
