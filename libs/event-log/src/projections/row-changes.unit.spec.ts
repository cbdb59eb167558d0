import fc from 'fast-check';
import type { RowChange } from './projection';
import { foldChanges, keysToRead } from './row-changes';

interface Row {
  key: string;
  count: number;
}
const keyOf = (row: Partial<Row>) => row.key!;
const key = fc.constantFrom('a', 'b', 'c');
const change: fc.Arbitrary<RowChange<Row>> = fc.oneof(
  fc.record({ key, count: fc.nat(9) }).map((put) => ({ put })),
  key.map((of) => ({ remove: { key: of } })),
  fc.tuple(key, fc.nat(9)).map(([of, add]) => ({
    change: { key: of },
    by: (row: Row | undefined) => ({ key: of, count: (row?.count ?? 0) + add }),
  })),
  key.map((of) => ({ change: { key: of }, by: (row: Row | undefined) => (row && row.count > 4 ? undefined : row) })),
);

/** A table held in memory, changed the way the projector changes one: read what is needed, fold, write. */
function apply(table: ReadonlyMap<string, Row>, changes: readonly RowChange<Row>[]): Map<string, Row> {
  const needed = keysToRead(changes, keyOf);
  const present = new Map([...table].filter(([of]) => needed.has(of)));
  const { put, removed } = foldChanges(changes, present, keyOf);
  const next = new Map(table);
  for (const of of removed.keys()) next.delete(of);
  for (const [of, row] of put) next.set(of, row);
  return next;
}

const sorted = (table: Map<string, Row>) => [...table.values()].sort((a, b) => (a.key < b.key ? -1 : 1));

describe('row changes', () => {
  it('come to the same rows however they are cut into batches', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), (changes, size) => {
        let inBatches = new Map<string, Row>();
        for (let from = 0; from < changes.length; from += size) {
          inBatches = apply(inBatches, changes.slice(from, from + size));
        }
        expect(sorted(inBatches)).toEqual(sorted(apply(new Map(), changes)));
      }),
    );
  });

  it('ask for the rows they depend on and no others', () => {
    const by = (row: Row | undefined) => row;
    const needed = keysToRead<Row>(
      [
        { put: { key: 'a', count: 1 } },
        { change: { key: 'a' }, by },
        { change: { key: 'b' }, by },
        { remove: { key: 'c' } },
      ],
      keyOf,
    );
    expect([...needed.keys()]).toEqual(['b']);
  });

  it('refuse a change that moves a row to another key', () => {
    const moving: RowChange<Row> = { change: { key: 'a' }, by: () => ({ key: 'b', count: 1 }) };
    expect(() => foldChanges([moving], new Map(), keyOf)).toThrow('another key');
  });
});
