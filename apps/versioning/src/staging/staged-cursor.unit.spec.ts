import * as fc from 'fast-check';
import { applyEdits } from '../object-tree/apply-edits';
import { EMPTY_TREE, MemoryNodeStore } from '../object-tree/node-store';
import { TreeCursor } from '../object-tree/tree-cursor';
import { OverlayCursor, StagedCursor, type StagedRow } from './staged-cursor';

const name = fc.string({ unit: fc.constantFrom('a', 'b', '/'), minLength: 1, maxLength: 4 });
const byBytes = ([left]: [string, unknown], [right]: [string, unknown]) => (left < right ? -1 : 1);
const sorted = <V>(map: ReadonlyMap<string, V>) => [...map].sort(byBytes);

it('a tree with staged rows over it shows what a map would, from any key on and over again', async () => {
  const pairs = fc.array(fc.tuple(name, fc.constantFrom('1', '2')));
  const staged = fc.array(fc.tuple(name, fc.constantFrom('3', null)));
  await fc.assert(
    fc.asyncProperty(pairs, staged, fc.array(name), async (committedPairs, stagedPairs, seeks) => {
      const committed = new Map(committedPairs);
      const rows: StagedRow[] = sorted(new Map(stagedPairs)).map(([path, entry]) => ({
        path: Buffer.from(path),
        entry: entry === null ? null : Buffer.from(entry),
      }));
      const edits = sorted(committed).map(([key, value]) => ({ key: Buffer.from(key), value: Buffer.from(value) }));
      const store = new MemoryNodeStore();
      const { root } = await applyEdits(store, EMPTY_TREE, edits);
      const read = async (from: Buffer, limit: number) =>
        rows.filter(({ path }) => path.compare(from) >= 0).slice(0, limit);
      const cursor = new OverlayCursor(new TreeCursor(store, root), new StagedCursor(read));
      const shown = new Map<string, string>(committed);
      for (const [path, entry] of stagedPairs) {
        if (entry === null) shown.delete(path);
        else shown.set(path, entry);
      }
      for (const from of ['', ...seeks]) {
        const found: [string, string][] = [];
        for (await cursor.seek(Buffer.from(from)); cursor.current; await cursor.advance()) {
          found.push([cursor.current.key.toString(), cursor.current.value.toString()]);
        }
        expect(found).toEqual(sorted(shown).filter(([path]) => path >= from));
      }
    }),
  );
});

it('staged rows of several pages are walked in order, with leaps forwards and back', async () => {
  const rows = Array.from({ length: 2_500 }, (_, n) => ({
    path: Buffer.from(String(n).padStart(5, '0')),
    entry: null,
  }));
  let reads = 0;
  const cursor = new StagedCursor(async (from, limit) => {
    reads += 1;
    return rows.filter(({ path }) => path.compare(from) >= 0).slice(0, limit);
  });
  const here = () => cursor.current?.path.toString();
  const seen: (string | undefined)[] = [];
  for (await cursor.seek(Buffer.alloc(0)); cursor.current; await cursor.advance()) {
    seen.push(here());
  }
  expect(seen).toEqual(rows.map(({ path }) => path.toString()));
  expect(reads).toBe(3);
  for (const at of ['02400', '00001', '01500', '99999']) {
    await cursor.seek(Buffer.from(at));
    expect(here()).toBe(at === '99999' ? undefined : at);
  }
});
