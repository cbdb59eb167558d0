import { createHash } from 'node:crypto';
import { applyEdits, type Edit } from './apply-edits';
import { NODE_BYTES_MAX } from './chunker';
import { diffTrees } from './diff-trees';
import type { TreeNode } from './node';
import { EMPTY_TREE, MemoryNodeStore } from './node-store';

const ENTRIES = 200_000;
const CHANGES = 400;
const value = (seed: string) => createHash('sha512').update(seed).digest();
const entryKey = (index: number) => Buffer.from(`data/year=2013/month=${index % 12}/part-${index}.parquet`);

/** The same "random" numbers in each run. */
function* pseudoRandom(below: number): Generator<number, never> {
  for (let index = 0; ; index += 1) yield value(`random ${index}`).readUInt32BE() % below;
}

class CountingStore extends MemoryNodeStore {
  reads = 0;

  override async read(id: string): Promise<TreeNode> {
    this.reads += 1;
    return super.read(id);
  }
}

describe('a large object tree', () => {
  const store = new CountingStore();
  let root: string;
  let leaves: number[];
  let depth: number;

  beforeAll(async () => {
    const edits = Array.from({ length: ENTRIES }, (_, index) => ({ key: entryKey(index), value: value(`${index}`) }));
    edits.sort((left, right) => left.key.compare(right.key));
    ({ root } = await applyEdits(store, EMPTY_TREE, edits));
    leaves = store.written.filter(({ level }) => level === 0).map(({ bytes }) => bytes.length);
    depth = (await store.read(root)).level + 1;
  });

  it('has the same root on every machine and for ever', () => {
    expect(root).toMatchInlineSnapshot(`"4a16e1fa520492cac4cf2fc5ec4bea6306effca8f67d0e6fbe78889b5da1f8ce"`);
  });

  it('counts its entries at the root', async () => {
    expect((await store.read(root)).count).toBe(ENTRIES);
  });

  it('has nodes that are mostly of 64 to 128 KiB, and never far above the bound', () => {
    const within = leaves.filter((bytes) => bytes >= 64 * 1024 && bytes <= 128 * 1024);
    expect(leaves.length).toBeGreaterThan(200);
    expect(within.length / leaves.length).toBeGreaterThan(0.8);
    expect(Math.max(...leaves)).toBeLessThan(NODE_BYTES_MAX);
  });

  it('rewrites at most 1.2 nodes a level, on average, for one change: a value, a new key, a removed one', async () => {
    const random = pseudoRandom(ENTRIES);
    let written = 0;
    let touched = 0;
    for (let change = 0; change < CHANGES; change += 1) {
      const index = random.next().value;
      const kinds: Edit[] = [
        { key: entryKey(index), value: value(`changed ${change}`) },
        { key: Buffer.concat([entryKey(index), Buffer.from('.crc')]), value: value('new') },
        { key: entryKey(index), value: undefined },
      ];
      const before = store.written.length;
      const changed = await applyEdits(store, root, [kinds[change % kinds.length]!]);
      expect(changed.root).not.toBe(root);
      written += store.written.length - before;
      touched += depth;
    }
    expect(written / touched).toBeLessThanOrEqual(1.2);
  });

  it('is compared with a changed one by reading the nodes that differ, and few beside them', async () => {
    const edits = [7, 70_000, 199_999].map((index) => ({ key: entryKey(index), value: undefined }));
    edits.sort((left, right) => left.key.compare(right.key));
    const { root: right } = await applyEdits(store, root, edits);
    store.reads = 0;
    const found: string[] = [];
    for await (const { key } of diffTrees(store, { left: root, right }, { same: (l, r) => l.equals(r) })) {
      found.push(key.toString());
    }
    expect(found).toEqual(edits.map(({ key }) => key.toString()));
    expect(store.reads).toBeLessThanOrEqual(2 * (1 + edits.length * depth));
  });
});
