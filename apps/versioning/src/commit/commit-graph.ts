import type { CommitRecord } from '@mledger/contracts';

/** Where the functions of this file find commits. */
export type ReadCommit = (id: string) => Promise<CommitRecord>;

/** A set of commits from which the one of the greatest generation is taken; a child comes before each of its parents. */
class Frontier {
  private readonly heap: CommitRecord[] = [];
  private readonly ids = new Set<string>();

  /** Does nothing for a commit that was in it before. */
  add(commit: CommitRecord): void {
    if (this.ids.has(commit.id)) return;
    this.ids.add(commit.id);
    const { heap } = this;
    let at = heap.push(commit) - 1;
    for (let above = (at - 1) >> 1; at > 0 && isBefore(heap[at]!, heap[above]!); above = (at - 1) >> 1) {
      [heap[at], heap[above]] = [heap[above]!, heap[at]!];
      at = above;
    }
  }

  take(): CommitRecord | undefined {
    const { heap } = this;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === first) return first;
    heap[0] = last!;
    for (let at = 0; ;) {
      let best = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && isBefore(heap[child]!, heap[best]!)) best = child;
      }
      if (best === at) return first;
      [heap[at], heap[best]] = [heap[best]!, heap[at]!];
      at = best;
    }
  }
}

/** By generation, then by time, then by id: the same order on every machine. */
function isBefore(left: CommitRecord, right: CommitRecord): boolean {
  if (left.generation !== right.generation) return left.generation > right.generation;
  if (left.createdAtSeconds !== right.createdAtSeconds) return left.createdAtSeconds > right.createdAtSeconds;
  return left.id < right.id;
}

/** A commit and all it comes from, newest first by generation; with `firstParent` only along first parents. */
export async function* history(
  read: ReadCommit,
  start: CommitRecord,
  { firstParent }: { firstParent: boolean },
): AsyncGenerator<CommitRecord> {
  const frontier = new Frontier();
  frontier.add(start);
  for (let commit = frontier.take(); commit; commit = frontier.take()) {
    yield commit;
    for (const parent of firstParent ? commit.parents.slice(0, 1) : commit.parents) frontier.add(await read(parent));
  }
}

const FROM_LEFT = 1;
const FROM_RIGHT = 2;

/**
 * The best common ancestor, of which no other common ancestor is a descendant: walking both histories at once from the
 * greatest generation down, the first commit that both lead to. Of several, the first in the order of {@link history}.
 */
export async function mergeBase(
  read: ReadCommit,
  left: CommitRecord,
  right: CommitRecord,
): Promise<CommitRecord | undefined> {
  const reached = new Map<string, number>();
  const frontier = new Frontier();
  const reach = (commit: CommitRecord, sides: number) => {
    reached.set(commit.id, (reached.get(commit.id) ?? 0) | sides);
    frontier.add(commit);
  };
  reach(left, FROM_LEFT);
  reach(right, FROM_RIGHT);
  for (let commit = frontier.take(); commit; commit = frontier.take()) {
    // Every child was taken before, so no side can be added to this commit any more.
    const sides = reached.get(commit.id)!;
    if (sides === (FROM_LEFT | FROM_RIGHT)) return commit;
    for (const parent of commit.parents) reach(await read(parent), sides);
  }
  return undefined;
}
