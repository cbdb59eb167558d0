import type { LogCore } from './log-core';

/**
 * Refuses a log that was dumped and restored into a younger cluster, or adopts it when told to: its transaction ids lie above the
 * horizon, so nothing would be numbered until the cluster has caught up with them.
 */
export async function checkRestored(core: Pick<LogCore, 'pool' | 'service'>, adopt: boolean): Promise<void> {
  const { rows } = await core.pool.query<{ restored: boolean }>(
    `select coalesce((select xid from events order by xid desc limit 1) >= pg_snapshot_xmax(pg_current_snapshot()), false)
            as restored`,
  );
  if (!rows[0]!.restored) return;
  if (!adopt) {
    throw new Error(
      `the log of ${core.service} comes from another Postgres cluster (a restored dump): ` +
        'open it once with { afterRestore: true }, which gives its events transaction ids of this one',
    );
  }
  await core.pool.query('select adopt_restored()');
}
