import type { PoolClient } from 'pg';
import type { InlineGuard } from './append';
import type { Recorded } from './event';
import { lockKey } from './ids';
import type { LogCore } from './log-core';
import type { Projection } from './projections/projection';
import { projectInto } from './projections/projector';

/** The inline projections that events of these types touch, and what the append must hold for them. */
export function inlineFor(core: LogCore, types: Iterable<string>): { projections: Projection[]; guard: InlineGuard } {
  const wanted = new Set(types);
  const projections = core.projections.filter(
    (projection) => projection.mode === 'inline' && projection.types.some((type) => wanted.has(type)),
  );
  const locks = projections.map(({ name }) => projectionLock(core.service, name));
  return {
    projections,
    guard: { locks: [declarationLock(core.service), ...locks].sort(byValue), declared: core.inlineHash },
  };
}

/** Held, shared, by each append; exclusively while what is declared changes. */
export function declarationLock(service: string): bigint {
  return lockKey(service, 'declaration', '');
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
