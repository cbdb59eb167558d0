import type { PoolClient } from 'pg';
import type { Sequenced } from './event';
import type { LogCore } from './log-core';
import { EVENT_COLUMNS, readSequenced, type EventRow } from './recorded';

type Queryable = Pick<PoolClient, 'query'>;

/** How far one query looks for events of a few types. */
const SEARCH_SEQ_MAX = 5_000;

export interface LogPage {
  afterSeq: number;
  /** Inclusive; the head when left out. */
  toSeq?: number;
  limit: number;
  types?: readonly string[];
}

// The range is always bounded on both sides: seq is dense, so that says how many rows there are, where a limit would make
// Postgres guess and, on a table it has no statistics of, sort all that is left of the log.
const RANGE = `
select o.seq, ${EVENT_COLUMNS}
  from log_order o join events e on e.position = o.position
 where o.seq > $1 and o.seq <= $2`;
const ALL_TYPES = `${RANGE} order by o.seq`;
const SOME_TYPES = `${RANGE} and e.type = any($3) order by o.seq limit $4`;

/** Events in public order. */
export async function readLogPage(core: LogCore, client: Queryable, page: LogPage): Promise<Sequenced[]> {
  const { afterSeq, toSeq = Number.MAX_SAFE_INTEGER, limit, types } = page;
  if (!types) return readRange(core, client, ALL_TYPES, [afterSeq, Math.min(toSeq, afterSeq + limit)]);
  const lastSeq = Math.min(toSeq, await readHead(client));
  const found: Sequenced[] = [];
  for (let from = afterSeq; from < lastSeq && found.length < limit; from += SEARCH_SEQ_MAX) {
    const to = Math.min(lastSeq, from + SEARCH_SEQ_MAX);
    found.push(...(await readRange(core, client, SOME_TYPES, [from, to, types, limit - found.length])));
  }
  return found;
}

/** How many events a replay holds at a time, twice: more would outlive V8's young generation and cost more to collect than to read. */
const REPLAY_PAGE_EVENTS = 500;

/**
 * Reads on to the head, page after page. The next page is on its way while the caller works on this one, so that Postgres and
 * Node are busy at the same time. Returns the seq that it has come to, whatever the type of the event there.
 */
export async function* replay(
  core: LogCore,
  client: Queryable,
  { afterSeq, types }: { afterSeq: number; types?: readonly string[] },
): AsyncGenerator<Sequenced[], number, void> {
  const pageAfter = async (from: number) => {
    const toSeq = Math.min(await head, from + (types ? SEARCH_SEQ_MAX : REPLAY_PAGE_EVENTS));
    const values = [from, toSeq, ...(types ? [types, SEARCH_SEQ_MAX] : [])];
    const events = toSeq > from ? await readRange(core, client, types ? SOME_TYPES : ALL_TYPES, values) : [];
    return { events, toSeq };
  };
  let head = readHead(client);
  let next = pageAfter(afterSeq);
  for (let from = afterSeq; ;) {
    const { events, toSeq } = await next;
    if (toSeq <= from) {
      // The log may have grown while it was read.
      if ((await readHead(client)) <= from) return from;
      head = readHead(client);
      next = pageAfter(from);
      continue;
    }
    from = toSeq;
    next = pageAfter(from);
    // A caller that stops early leaves this one behind; its failure is nobody's then.
    next.catch(() => undefined);
    if (events.length > 0) yield events;
  }
}

/** The greatest seq numbered so far. */
export async function readHead(client: Queryable): Promise<number> {
  const { rows } = await client.query<{ seq: number }>('select seq from sequencer');
  return rows[0]!.seq;
}

async function readRange(core: LogCore, client: Queryable, text: string, values: unknown[]): Promise<Sequenced[]> {
  const { rows } = await client.query<[number, ...EventRow]>({ text, values, rowMode: 'array' });
  return rows.map((row) => readSequenced(core.service, core.catalog, row));
}
