import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { inTransaction, withConnection } from '../connections';
import { declarationLock } from '../inline-projections';
import type { LogCore } from '../log-core';
import type { Projection } from './projection';
import { projectionTable } from './projection-table';

/** Everything about a projection that, changed, makes the rows in its table wrong: columns, keys, mode, event types. */
export function declarationOf(dataSource: DataSource, projection: Projection): string {
  const { ddlHash } = projectionTable(dataSource, projection);
  const parts = [ddlHash, projection.mode, ...[...projection.types].sort()];
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

/** All inline projections of a service as one hash. */
export function inlineHashOf(dataSource: DataSource, projections: readonly Projection[]): string {
  const inline = projections
    .filter(({ mode }) => mode === 'inline')
    .map((projection) => `${projection.name} ${declarationOf(dataSource, projection)}`);
  return createHash('sha256').update(inline.sort().join('\n')).digest('hex');
}

/**
 * Says which projections this version of the service keeps. A process of another version that is still running (a rolling upgrade)
 * would append without the rows of a new inline projection: from here on its appends are refused. What is declared no longer
 * stays as it is, and is rebuilt if it is ever declared again.
 */
export async function declare(core: LogCore): Promise<void> {
  const { rows } = await core.pool.query<{ inline_hash: string }>('select inline_hash from declared');
  if (rows[0]!.inline_hash !== core.inlineHash) {
    await withConnection(core.pool, (client) =>
      inTransaction(client, async () => {
        // Waits for the appends under way, so that the rebuild that follows sees what they committed.
        await client.query(`select pg_advisory_xact_lock(${declarationLock(core.service)})`);
        await client.query('update declared set inline_hash = $1', [core.inlineHash]);
      }),
    );
  }
  const names = core.projections.map(({ name }) => name);
  await core.pool.query('update projections set declaration = null where name <> all($1)', [names]);
}
