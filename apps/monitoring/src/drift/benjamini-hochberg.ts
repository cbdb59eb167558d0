/** One test of several: its p-value, and the level at which it alone would be called significant. */
export interface LevelledTest {
  readonly pValue: number;
  readonly level: number;
}

/**
 * P-values adjusted so that calling those significant that are at most their own level keeps the expected share of false
 * alarms among all alarms below it (Benjamini and Hochberg 1995). Where levels differ each test is weighted by its own
 * (Genovese, Roeder and Wasserman 2006).
 *
 * @returns in the order of the tests
 */
export function adjustedPValues(tests: readonly LevelledTest[]): number[] {
  const order = tests.map((_, index) => index).sort((a, b) => ratioOf(tests[b]!) - ratioOf(tests[a]!));
  const adjusted = new Array<number>(tests.length);
  let least = Infinity;
  order.forEach((index, position) => {
    const rank = tests.length - position;
    least = Math.min(least, (ratioOf(tests[index]!) * tests.length) / rank);
    adjusted[index] = Math.min(1, least * tests[index]!.level);
  });
  return adjusted;
}

function ratioOf({ pValue, level }: LevelledTest): number {
  return pValue / level;
}
