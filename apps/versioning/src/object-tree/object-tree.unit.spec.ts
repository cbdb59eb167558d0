import * as fc from 'fast-check';
import { applyEdits, type Edit } from './apply-edits';
import { diffTrees } from './diff-trees';
import { listEntries, type ListItem } from './list-entries';
import { incomingChanges, MergeConflict, mergeEdits } from './merge-trees';
import { EMPTY_TREE, MemoryNodeStore, type NodeStore } from './node-store';
import { getEntry, TreeCursor } from './tree-cursor';

type Model = ReadonlyMap<string, string>;

const same = (left: Buffer, right: Buffer) => left.equals(right);
const byBytes = (left: string, right: string) => Buffer.from(left).compare(Buffer.from(right));
const sortedKeys = (...models: Model[]) => [...new Set(models.flatMap((model) => [...model.keys()]))].sort(byBytes);

function editsOf(changes: ReadonlyMap<string, string | undefined>): Edit[] {
  return [...changes.keys()].sort(byBytes).map((key) => {
    const value = changes.get(key);
    return { key: Buffer.from(key), value: value === undefined ? undefined : Buffer.from(value) };
  });
}

async function build(store: NodeStore, model: Model): Promise<string> {
  return (await applyEdits(store, EMPTY_TREE, editsOf(model))).root;
}

async function contents(store: NodeStore, root: string): Promise<[string, string][]> {
  const entries: [string, string][] = [];
  const cursor = new TreeCursor(store, root);
  for (await cursor.seek(Buffer.alloc(0)); cursor.current; await cursor.advance()) {
    entries.push([cursor.current.key.toString(), cursor.current.value.toString()]);
  }
  return entries;
}

const sorted = (model: Model) => sortedKeys(model).map((key) => [key, model.get(key)]);

// A small alphabet, so that keys meet, are prefixes of one another, and differ in bytes from their order as text.
const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', '~', 'é', '😀'), minLength: 1, maxLength: 5 });
const model = fc.array(fc.tuple(key, fc.constantFrom('1', '2', '3'))).map((pairs): Model => new Map(pairs));
const edits = fc
  .array(fc.tuple(key, fc.constantFrom('1', '2', '3', undefined)))
  .map((pairs): ReadonlyMap<string, string | undefined> => new Map(pairs));

/** Values so large that a few keys make several nodes and levels. */
const widen = (entries: Model): Model => new Map([...entries].map(([k, v]) => [k, v.repeat(30_000)]));

function edited(entries: Model, changes: ReadonlyMap<string, string | undefined>): Model {
  const result = new Map(entries);
  for (const [k, v] of changes) {
    if (v === undefined) result.delete(k);
    else result.set(k, v);
  }
  return result;
}

describe('an object tree', () => {
  const store = new MemoryNodeStore();

  it('holds the entries it was made of, and finds each', async () => {
    await fc.assert(
      fc.asyncProperty(model, key, async (entries, other) => {
        const root = await build(store, entries);
        expect(await contents(store, root)).toEqual(sorted(entries));
        for (const k of [...entries.keys(), other]) {
          expect((await getEntry(store, root, Buffer.from(k)))?.toString()).toBe(entries.get(k));
        }
      }),
    );
  });

  it.each([
    ['small', (entries: Model) => entries],
    ['of many nodes', widen],
  ])('has one root for one set of entries, by whatever edits it came about (%s)', async (_size, size) => {
    await fc.assert(
      fc.asyncProperty(model, fc.array(edits, { maxLength: 4 }), async (entries, steps) => {
        let current = size(entries);
        let root = await build(store, current);
        for (const step of steps) {
          const changes = new Map([...step].map(([k, v]) => [k, v && size(new Map([[k, v]])).get(k)]));
          const next = edited(current, changes);
          const applied = await applyEdits(store, root, editsOf(changes));
          expect(applied.counts).toEqual({
            added: sortedKeys(next).filter((k) => !current.has(k)).length,
            removed: sortedKeys(current).filter((k) => !next.has(k)).length,
            changed: sortedKeys(next).filter((k) => current.has(k) && current.get(k) !== next.get(k)).length,
          });
          [current, root] = [next, applied.root];
        }
        expect(root).toBe(await build(store, current));
        expect(await contents(store, root)).toEqual(sorted(current));
      }),
    );
  });

  it('differs from another by exactly what differs, from any key on, under any prefix', async () => {
    const prefix = fc.oneof(fc.constant(''), key);
    await fc.assert(
      fc.asyncProperty(model, edits, prefix, prefix, async (entries, changes, from, under) => {
        const left = widen(entries);
        const right = edited(left, changes);
        const roots = { left: await build(store, left), right: await build(store, right) };
        const found: unknown[] = [];
        const options = { same, from: Buffer.from(from), prefix: Buffer.from(under) };
        for await (const difference of diffTrees(store, roots, options)) {
          found.push([difference.key.toString(), difference.left?.toString(), difference.right?.toString()]);
        }
        const expected = sortedKeys(left, right)
          .filter((k) => left.get(k) !== right.get(k) && byBytes(k, from) >= 0 && k.startsWith(under))
          .map((k) => [k, left.get(k), right.get(k)]);
        expect(found).toEqual(expected);
      }),
    );
  });

  it('merges as a map would, key by key, and knows each conflict', async () => {
    await fc.assert(
      fc.asyncProperty(model, edits, edits, async (entries, ourEdits, theirEdits) => {
        const base = widen(entries);
        const [ours, theirs] = [edited(base, ourEdits), edited(base, theirEdits)];
        const roots = {
          base: await build(store, base),
          ours: await build(store, ours),
          theirs: await build(store, theirs),
        };
        const conflicts = sortedKeys(base, ours, theirs).filter((k) => {
          const [b, o, t] = [base.get(k), ours.get(k), theirs.get(k)];
          return o !== b && t !== b && o !== t;
        });
        const found: string[] = [];
        for await (const incoming of incomingChanges(store, roots, { same })) {
          if (incoming.isConflict) found.push(incoming.key.toString());
        }
        expect(found).toEqual(conflicts);
        for (const strategy of ['default', 'source-wins', 'dest-wins'] as const) {
          const merging = applyEdits(store, roots.ours, mergeEdits(store, roots, { same, strategy }));
          if (strategy === 'default' && conflicts.length > 0) {
            await expect(merging).rejects.toMatchObject(new MergeConflict(Buffer.from(conflicts[0]!)));
            continue;
          }
          const expected = new Map<string, string>();
          for (const k of sortedKeys(base, ours, theirs)) {
            const [b, o, t] = [base.get(k), ours.get(k), theirs.get(k)];
            const isTheirs = t !== b && (o === b || strategy === 'source-wins');
            const value = isTheirs ? t : o;
            if (value !== undefined) expected.set(k, value);
          }
          expect((await merging).root).toBe(await build(store, expected));
        }
      }),
    );
  });

  it('lists as a sorted list of its keys would be listed', async () => {
    const maybeKey = fc.oneof(fc.constant(''), key);
    const delimiter = fc.constantFrom(undefined, '/', 'a', '/a');
    await fc.assert(
      fc.asyncProperty(model, maybeKey, maybeKey, delimiter, fc.nat(4), async (entries, prefix, after, cut, limit) => {
        const root = await build(store, widen(entries));
        const page = await listEntries(new TreeCursor(store, root), {
          prefix: Buffer.from(prefix),
          ...(after !== '' && { after: Buffer.from(after) }),
          ...(cut !== undefined && { delimiter: Buffer.from(cut) }),
          limit,
        });
        const commonPrefixOf = (k: string) => {
          const at = cut === undefined || !k.startsWith(prefix) ? -1 : k.indexOf(cut, prefix.length);
          return at < 0 ? undefined : k.slice(0, at + cut!.length);
        };
        // What follows is what is after the key itself; a common prefix is followed by nothing that is below it.
        const names = sortedKeys(entries)
          .filter((k) => k.startsWith(prefix) && byBytes(k, after) > 0)
          .filter((k) => after === '' || commonPrefixOf(after) !== after || commonPrefixOf(k) !== after)
          .map((k) => (commonPrefixOf(k) === undefined ? `entry ${k}` : `common-prefix ${commonPrefixOf(k)}`));
        const distinct = [...new Set(names)];
        expect(page.items.map(({ type, key: k }: ListItem) => `${type} ${k.toString()}`)).toEqual(
          distinct.slice(0, limit),
        );
        expect(page.hasMore).toBe(distinct.length > limit);
      }),
    );
  });
});
