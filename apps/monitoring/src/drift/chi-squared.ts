import type { BinnedCounts } from './bins';
import type { TestResult } from './kolmogorov-smirnov';
import { upperGamma } from './incomplete-gamma';

/**
 * Evidently's: one sample against expected counts = reference × n_current / n_reference. A category that the reference
 * never had is expected zero times, and makes p zero.
 */
export function chiSquaredOfExpected({ reference, current }: BinnedCounts): TestResult {
  const scale = totalOf(current) / totalOf(reference);
  const expected = reference.map((count) => count * scale);
  if (expected.some((count, index) => count === 0 && current[index]! > 0)) {
    // The statistic is infinite, which no JSON holds; what its known categories add up to is what can be said.
    return { statistic: deviation(current, expected), pValue: 0 };
  }
  return tail(deviation(current, expected), current.length - 1);
}

/**
 * Whether both came from one population: the contingency table of the two. Unlike the one-sample test it knows that the
 * reference is a sample too, and a new category adds to the statistic instead of deciding alone.
 */
export function chiSquaredOfHomogeneity({ reference, current }: BinnedCounts): TestResult {
  const [ofReference, ofCurrent] = [totalOf(reference), totalOf(current)];
  const pooled = reference.map((count, index) => (count + current[index]!) / (ofReference + ofCurrent));
  const statistic =
    deviation(reference, pooled.map((share) => share * ofReference)) + // prettier-ignore
    deviation(current, pooled.map((share) => share * ofCurrent)); // prettier-ignore
  return tail(statistic, current.length - 1);
}

function deviation(observed: readonly number[], expected: readonly number[]): number {
  return observed.reduce((sum, count, index) => {
    const wanted = expected[index]!;
    return wanted === 0 ? sum : sum + (count - wanted) ** 2 / wanted;
  }, 0);
}

/** One category on both sides is no deviation at all. */
function tail(statistic: number, degreesOfFreedom: number): TestResult {
  return { statistic, pValue: degreesOfFreedom === 0 ? 1 : upperGamma(degreesOfFreedom / 2, statistic / 2) };
}

function totalOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
