import { sharesOf, type BinnedCounts } from './bins';

const ZERO_SHARE = 1e-4;

/** PSI, natural logarithm. Empty bins get a small share, not taken from the others (Evidently's convention). */
export function populationStability(counts: BinnedCounts): number {
  const reference = withoutZeros(sharesOf(counts.reference));
  const current = withoutZeros(sharesOf(counts.current));
  return reference.reduce(
    (sum, share, index) => sum + (share - current[index]!) * Math.log(share / current[index]!),
    0,
  );
}

/** Where the least share is itself tiny, a fixed fill would outweigh it. */
function withoutZeros(shares: readonly number[]): number[] {
  const least = Math.min(...shares.filter((share) => share > 0));
  const fill = least <= ZERO_SHARE ? least / 1e6 : ZERO_SHARE;
  return shares.map((share) => (share === 0 ? fill : share));
}
