import { sharesOf, type BinnedCounts } from './bins';

/** The distance, so the square root of the divergence, natural logarithm: 0 for equal, √ln 2 for disjoint distributions. */
export function jensenShannon(counts: BinnedCounts): number {
  const reference = sharesOf(counts.reference);
  const current = sharesOf(counts.current);
  let divergence = 0;
  reference.forEach((share, index) => {
    const other = current[index]!;
    const middle = (share + other) / 2;
    if (share > 0) divergence += share * Math.log(share / middle);
    if (other > 0) divergence += other * Math.log(other / middle);
  });
  // Equal distributions may come out below zero by rounding.
  return Math.sqrt(Math.max(0, divergence / 2));
}
