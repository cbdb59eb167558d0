/**
 * P(Dn ≤ d) of the one-sample, two-sided Kolmogorov–Smirnov statistic, by the expansion of Pelz and Good (1976) in powers
 * of n^(−1/2), as Simard and L'Ecuyer (2011) give it: to 1e-8 from n of some hundred on.
 */
export function kolmogorovDistribution(d: number, n: number): number {
  const [first, second, third, fourth] = terms(d * Math.sqrt(n));
  const probability = first + second / Math.sqrt(n) + third / n + fourth / n ** 1.5;
  return Math.min(1, Math.max(0, probability));
}

/** Powers of π² in which the series are written. */
const P1 = Math.PI ** 2;
const P2 = P1 ** 2;
const P3 = P1 ** 3;
/** Below this even the first term is zero to sixteen digits. */
const ARGUMENT_MIN = 0.04;
const TERMS_MAX = 100;

/** The four functions of z; each sum runs over whole or half numbers, both signs. */
function terms(z: number): [number, number, number, number] {
  if (z < ARGUMENT_MIN) return [0, 0, 0, 0];
  const [z2, z4, z6, z8] = [z ** 2, z ** 4, z ** 6, z ** 8];
  const root = Math.sqrt(Math.PI / 2);
  const overHalves = (polynomial: (h2: number) => number) => weightedSum(z2, 0.5, polynomial);
  const overWholes = (polynomial: (k2: number) => number) => weightedSum(z2, 1, polynomial);
  const first = (root / z) * overHalves(() => 1);
  const second = (root / (6 * z4)) * overHalves((h2) => P1 * h2 - z2);
  const third =
    (root / (72 * z ** 7)) *
      overHalves((h2) => 6 * z6 + 2 * z4 + P1 * (2 * z4 - 5 * z2) * h2 + P2 * (1 - 2 * z2) * h2 ** 2) -
    (root / (36 * z ** 3)) * overWholes((k2) => P1 * k2);
  const fourth =
    (root / (6480 * z ** 10)) *
      overHalves(
        (h2) =>
          P3 * (5 - 30 * z2) * h2 ** 3 +
          P2 * (212 * z4 - 60 * z2) * h2 ** 2 +
          P1 * (135 * z4 - 96 * z6) * h2 -
          (30 * z6 + 90 * z8),
      ) +
    (root / (216 * z6)) * overWholes((k2) => 3 * P1 * k2 * z2 - P2 * k2 ** 2);
  return [first, second, third, fourth];
}

/** Σ polynomial(k²) e^(−π²k²/2z²) over k = ±start, ±(start + 1), … */
function weightedSum(z2: number, start: number, polynomial: (square: number) => number): number {
  let sum = 0;
  for (let k = start; k < TERMS_MAX; k += 1) {
    const weight = Math.exp((-P1 * k * k) / (2 * z2));
    if (weight === 0) break;
    sum += 2 * polynomial(k * k) * weight;
  }
  return sum;
}
