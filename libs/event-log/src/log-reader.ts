import type { PoolClient } from 'pg';
import type { Sequenced } from './event';
import type { LogCore } from './log-core';
import { EVENT_COLUMNS, readSequenced, type EventRow } from './recorded';

type Queryable = Pick<PoolClient, 'query'>;

export interface LogPage {
  afterSeq: number;
  /** Inclusive; the head when left out. */
  toSeq?: number;
  limit: number;
  types?: readonly string[];
}

const PAGE = `
select o.seq, ${EVENT_COLUMNS}
  from log_order o join events e on e.position = o.position
 where o.seq > $1 and o.seq <= $2`;
// Not prepared: the plan depends on how far the page is from the head.
const ALL_TYPES = `${PAGE} order by o.seq limit $3`;
const SOME_TYPES = `${PAGE} and e.type = any($4) order by o.seq limit $3`;

/** Events in public order. */
export async function readLogPage(
  core: LogCore,
  client: Queryable,
  { afterSeq, toSeq = Number.MAX_SAFE_INTEGER, limit, types }: LogPage,
): Promise<Sequenced[]> {
  const { rows } = await client.query<[number, ...EventRow]>({
    text: types ? SOME_TYPES : ALL_TYPES,
    rowMode: 'array',
    values: [afterSeq, toSeq, limit, ...(types ? [types] : [])],
  });
  return rows.map((row) => readSequenced(core.service, core.catalog, row));
}

/** The greatest seq numbered so far. */
export async function readHead(client: Queryable): Promise<number> {
  const { rows } = await client.query<{ seq: number }>('select seq from sequencer');
  return rows[0]!.seq;
}
