/** Null for no values. */
export function meanOf(values: ArrayLike<number>): number | null {
  if (values.length === 0) return null;
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += values[index]!;
  return sum / values.length;
}

/** The population's: divided by n, as numpy's `std` is. 0 for no values. */
export function populationDeviation(values: ArrayLike<number>): number {
  const mean = meanOf(values);
  if (mean === null) return 0;
  let squares = 0;
  for (let index = 0; index < values.length; index += 1) squares += (values[index]! - mean) ** 2;
  return Math.sqrt(squares / values.length);
}
