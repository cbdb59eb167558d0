import type { EventRef } from '../timeline/ledger-event';
import type { KnownEdge } from './lineage-queries';
import { kindOf } from './nodes';

export interface GraphBounds {
  readonly depth: number;
  readonly edgesMax: number;
}

/** What lies in one direction of a node, found one ring of neighbours after the other. */
export interface Reach {
  readonly edges: readonly KnownEdge[];
  /** Whether a bound ended it, so that there may be more. */
  readonly truncated: boolean;
}

export interface GraphNode {
  readonly id: string;
  readonly kind: string;
  /** What began it; null where nothing that is known did. */
  readonly event: EventRef | null;
}

/**
 * Walks from a node, ring by ring, along the edges that `neighbours` gives for a ring; each node once.
 *
 * @param neighbours edges of a whole ring, at most `limit` of them
 */
export async function walk(
  start: string,
  direction: 'upstream' | 'downstream',
  bounds: GraphBounds,
  neighbours: (ring: readonly string[], limit: number) => Promise<readonly KnownEdge[]>,
): Promise<Reach> {
  const seen = new Set([start]);
  const edges: KnownEdge[] = [];
  let ring = [start];
  for (let depth = 0; ring.length > 0; depth += 1) {
    if (depth === bounds.depth) return { edges, truncated: true };
    // One more than is left tells whether the bound cuts something off.
    const left = bounds.edgesMax - edges.length;
    const found = await neighbours(ring, left + 1);
    edges.push(...found.slice(0, left));
    if (found.length > left) return { edges, truncated: true };
    const next = found.map((edge) => (direction === 'upstream' ? edge.from : edge.to));
    ring = [...new Set(next)].filter((name) => !seen.has(name));
    ring.forEach((name) => seen.add(name));
  }
  return { edges, truncated: false };
}

/** The nodes that edges connect, with what began each. */
export function nodesOf(names: readonly string[], beginnings: readonly KnownEdge[]): GraphNode[] {
  const begun = new Map(beginnings.map(({ to, event }) => [to, event]));
  return names.map((id) => ({ id, kind: kindOf(id) ?? 'unknown', event: begun.get(id) ?? null }));
}

export function namesIn(start: string, edges: readonly KnownEdge[]): string[] {
  return [...new Set([start, ...edges.flatMap(({ from, to }) => [from, to])])];
}
