import type { CommitRecord } from '@mledger/contracts';
import * as fc from 'fast-check';
import { history, mergeBase } from './commit-graph';

/** A history at random: each commit has up to two parents among those before it. */
const graph = fc
  .array(fc.tuple(fc.nat(), fc.nat(), fc.boolean(), fc.nat(3)), { minLength: 1, maxLength: 25 })
  .map((choices) => {
    const commits: CommitRecord[] = [];
    choices.forEach(([one, other, isMerge, createdAtSeconds], index) => {
      const chosen = index === 0 ? [] : [...new Set(isMerge ? [one % index, other % index] : [one % index])];
      const parents = chosen.map((at) => commits[at]!);
      const generation = 1 + Math.max(0, ...parents.map((parent) => parent.generation));
      const content = { committer: '', message: '', createdAtSeconds, treeId: '', metadata: {}, generation };
      commits.push({ id: `c${index}`, parents: parents.map(({ id }) => id), ...content });
    });
    return commits;
  });

const readerOf = (commits: readonly CommitRecord[]) => async (id: string) => commits.find((one) => one.id === id)!;

function ancestors(commits: readonly CommitRecord[], of: CommitRecord): Set<string> {
  const found = new Set([of.id]);
  for (const commit of [...commits].reverse()) {
    if (found.has(commit.id)) for (const parent of commit.parents) found.add(parent);
  }
  return found;
}

describe('the graph of commits', () => {
  it('is walked through every ancestor once, each before its parents', async () => {
    await fc.assert(
      fc.asyncProperty(graph, async (commits) => {
        const start = commits.at(-1)!;
        const seen: string[] = [];
        for await (const commit of history(readerOf(commits), start, { firstParent: false })) {
          for (const parent of commit.parents) expect(seen).not.toContain(parent);
          seen.push(commit.id);
        }
        expect(new Set(seen)).toEqual(ancestors(commits, start));
        expect(new Set(seen).size).toBe(seen.length);
      }),
    );
  });

  it('has a merge base of which no other common ancestor is a descendant', async () => {
    await fc.assert(
      fc.asyncProperty(graph, fc.nat(), fc.nat(), async (commits, l, r) => {
        const [left, right] = [commits[l % commits.length]!, commits[r % commits.length]!];
        const base = await mergeBase(readerOf(commits), left, right);
        const ofRight = ancestors(commits, right);
        const common = [...ancestors(commits, left)].filter((id) => ofRight.has(id));
        expect(common).toContain(base?.id);
        const betters = common.filter(
          (id) =>
            id !== base!.id &&
            ancestors(
              commits,
              commits.find((c) => c.id === id)!,
            ).has(base!.id),
        );
        expect(betters).toEqual([]);
        expect(await mergeBase(readerOf(commits), right, left)).toBe(base);
      }),
    );
  });

  it('may have commits with no common ancestor', async () => {
    const alone = (id: string): CommitRecord => ({
      id,
      parents: [],
      committer: '',
      message: '',
      createdAtSeconds: 0,
      treeId: '',
      metadata: {},
      generation: 1,
    });
    const commits = [alone('a'), alone('b')];
    expect(await mergeBase(readerOf(commits), commits[0]!, commits[1]!)).toBeUndefined();
  });
});
