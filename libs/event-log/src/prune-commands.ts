import { BackgroundLoop } from './background-loop';
import type { LogCore } from './log-core';

const KEPT_DAYS = 7;
const BATCH_MAX = 5_000;
const INTERVAL_MS = 600_000;

/** Forgets the results of commands that nobody will repeat any more. */
export function commandPruner(core: LogCore): BackgroundLoop {
  return new BackgroundLoop({
    pollMs: INTERVAL_MS,
    onError: (error) => core.onError(error, 'pruning of commands'),
    turn: async () => {
      const { rowCount } = await core.background.query(
        `delete from commands where id in
           (select id from commands where at < now() - make_interval(days => $1) order by at limit $2)`,
        [KEPT_DAYS, BATCH_MAX],
      );
      return rowCount === BATCH_MAX ? 'more' : 'idle';
    },
  });
}
