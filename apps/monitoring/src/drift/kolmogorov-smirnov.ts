import { kolmogorovDistribution } from './kolmogorov-distribution';

export interface TestResult {
  readonly statistic: number;
  readonly pValue: number;
}

/** Up to this many values on either side the p-value is exact; above, that of one sample (`scipy.stats.ks_2samp`, auto). */
export const EXACT_ROWS_MAX = 10_000;
/** Below this a p-value is zero for every purpose, and its bound stands for it. */
const NEGLIGIBLE = 1e-14;

/** The two-sided Kolmogorov–Smirnov test of two ascending samples. */
export function kolmogorovSmirnov(one: Float64Array, other: Float64Array): TestResult {
  const divisor = greatestCommonDivisor(one.length, other.length);
  // Differences of the two distribution functions are whole multiples of one over the least common multiple.
  const steps = greatestDifference(one, other, divisor);
  const statistic = steps / ((one.length / divisor) * other.length);
  return { statistic, pValue: pValueOf(one.length, other.length, { steps, divisor, statistic }) };
}

interface Difference {
  readonly steps: number;
  readonly divisor: number;
  readonly statistic: number;
}

function greatestDifference(one: Float64Array, other: Float64Array, divisor: number): number {
  const [weightOfOne, weightOfOther] = [other.length / divisor, one.length / divisor];
  let greatest = 0;
  let i = 0;
  let j = 0;
  while (i < one.length && j < other.length) {
    const at = Math.min(one[i]!, other[j]!);
    while (i < one.length && one[i] === at) i += 1;
    while (j < other.length && other[j] === at) j += 1;
    greatest = Math.max(greatest, Math.abs(i * weightOfOne - j * weightOfOther));
  }
  return greatest;
}

function pValueOf(n: number, m: number, difference: Difference): number {
  const { steps, divisor, statistic } = difference;
  if (steps === 0) return 1;
  const effective = (n * m) / (n + m);
  // The inequality of Dvoretzky, Kiefer and Wolfowitz bounds it from above.
  const bound = 2 * Math.exp(-2 * effective * statistic ** 2);
  if (bound < NEGLIGIBLE) return bound;
  if (Math.max(n, m) > EXACT_ROWS_MAX) return 1 - kolmogorovDistribution(statistic, Math.round(effective));
  const pValue = n === m ? outsideOfSquare(n, steps) : outsideOfBand(Math.max(n, m), Math.min(n, m), steps, divisor);
  return Math.min(1, Math.max(0, pValue));
}

/**
 * The share of lattice paths from (0, 0) to (n, n) that ever leave the band of ± steps around the diagonal, by
 * reflection: 2 Σ (−1)^(k−1) C(2n, n−k·steps) / C(2n, n), summed from the smallest term as nested products.
 */
function outsideOfSquare(n: number, steps: number): number {
  let sum = 0;
  for (let k = Math.floor(n / steps); k >= 1; k -= 1) {
    let ratio = 1;
    const before = (k - 1) * steps;
    for (let step = 1; step <= steps; step += 1) ratio *= (n - before - step + 1) / (n + before + step);
    sum = ratio * (1 - sum);
  }
  return 2 * sum;
}

/**
 * The same where the sides differ (Hodges 1958): `left[y]` is the share of the paths to (x, y) that have left the band by
 * then, and a path comes to (x, y) from the left with probability x/(x + y). Only the column of the present x is kept.
 */
function outsideOfBand(n: number, m: number, steps: number, divisor: number): number {
  const [unitX, unitY] = [m / divisor, n / divisor];
  const left = new Float64Array(m + 1).fill(1);
  for (let y = 0; y <= m && y * unitY < steps; y += 1) left[y] = 0;
  for (let x = 1; x <= n; x += 1) {
    const lowest = Math.max(0, Math.floor((x * unitX - steps) / unitY) + 1);
    const highest = Math.min(m, Math.ceil((x * unitX + steps) / unitY) - 1);
    let below = lowest === 0 ? 0 : 1;
    for (let y = lowest; y <= highest; y += 1) {
      below = (left[y]! * x + below * y) / (x + y);
      left[y] = below;
    }
  }
  return left[m]!;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
