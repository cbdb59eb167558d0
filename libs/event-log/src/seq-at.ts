import type { PoolClient } from 'pg';
import type { AsOf } from './as-of';

/**
 * The position in the public order that a moment stands for: the longest prefix of the log in which no event is later than the
 * time. It follows from the log alone, so it is the same after a restore; a mark a second says where to begin looking.
 */
export async function seqAt(client: Pick<PoolClient, 'query'>, at: AsOf): Promise<number> {
  if ('seq' in at) return at.seq;
  const { rows } = await client.query<{ seq: number }>(
    `with mark as (select coalesce(max(m.seq), 0) as seq from time_marks m where m.at <= $1),
          later as (select o.seq from mark, log_order o join events e on e.position = o.position
                     where o.seq > mark.seq and e.at > $1 order by o.seq limit 1)
     select coalesce((select seq - 1 from later), (select seq from sequencer)) as seq`,
    [at.time],
  );
  return rows[0]!.seq;
}
