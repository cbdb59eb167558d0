import type { PoolClient } from 'pg';
import type { Recorded } from './event';
import { lockKey } from './ids';
import type { LogCore } from './log-core';
import type { Projection } from './projections/projection';
import { projectInto } from './projections/projector';

/** The inline projections that events of these types touch, and the locks that keep a rebuild from replacing their tables. */
export function inlineFor(core: LogCore, types: Iterable<string>): { projections: Projection[]; locks: bigint[] } {
  const wanted = new Set(types);
  const projections = core.projections.filter(
    (projection) => projection.mode === 'inline' && projection.types.some((type) => wanted.has(type)),
  );
  return { projections, locks: projections.map(({ name }) => projectionLock(core.service, name)).sort(byValue) };
}

export function projectionLock(service: string, name: string): bigint {
  return lockKey(service, 'projection', name);
}

/** Writes the rows of just-appended events, in the append's transaction. */
export async function projectInline(
  core: LogCore,
  client: PoolClient,
  projections: readonly Projection[],
  events: readonly Recorded[],
): Promise<void> {
  for (const projection of projections) {
    await projectInto(core.dataSource, client, projection, events, projection.name);
  }
}

function byValue(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
