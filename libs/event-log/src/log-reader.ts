import type { PoolClient } from 'pg';
import type { Sequenced } from './event';
import type { LogCore } from './log-core';
import { bytesUpTo, isFull, WITHIN_PAGE } from './page';
import { EVENT_JSON, readSequenced } from './recorded';

type Queryable = Pick<PoolClient, 'query'>;

type LogRow = [seq: number, json: string, bytesUpTo: number];

interface Range {
  readonly afterSeq: number;
  /** Inclusive. */
  readonly toSeq: number;
  readonly types?: readonly string[];
  readonly limit: number;
}

/** What a range was found to hold, up to toSeq: its end, unless the limit of events or bytes came before. */
interface Fetched {
  readonly rows: readonly LogRow[];
  readonly toSeq: number;
}

/** How far one query looks for events of a few types. */
const SEARCH_SEQ_MAX = 5_000;

export interface PageTerms {
  afterSeq: number;
  /** Inclusive; the head when left out. */
  toSeq?: number;
  limit: number;
  types?: readonly string[];
}

export interface LogPage {
  readonly events: Sequenced[];
  /** The page holds all there is up to here, though the last event may be before. */
  readonly toSeq: number;
}

// The range is always bounded on both sides: seq is dense, so that says how many rows there are, where a limit would make
// Postgres guess and, on a table it has no statistics of, sort all that is left of the log.
const rangeOf = (wanted: string) => `
select e.seq, ${EVENT_JSON}, e.bytes_up_to
  from (select o.seq, e.*, ${bytesUpTo('o.seq')}
          from log_order o join events e on e.position = o.position
         where o.seq > $1 and o.seq <= $2 ${wanted}) e
 where ${WITHIN_PAGE} order by e.seq`;
const ALL_TYPES = rangeOf('');
const SOME_TYPES = rangeOf('and e.type = any($3) order by o.seq limit $4');

/** Events in public order. Fewer than the limit are not the end of the log, unless there is none. */
export async function readLogPage(core: LogCore, client: Queryable, page: PageTerms): Promise<LogPage> {
  const { afterSeq, toSeq = Number.MAX_SAFE_INTEGER, limit, types } = page;
  if (!types) {
    const { rows, toSeq: reached } = await fetchRange(client, {
      afterSeq,
      toSeq: Math.min(toSeq, afterSeq + limit),
      limit,
    });
    return { events: rows.map((row) => parseRow(core, row)), toSeq: reached };
  }
  const lastSeq = Math.min(toSeq, await readHead(client));
  const events: Sequenced[] = [];
  let reached = afterSeq;
  for (let bytes = 0; reached < lastSeq && !isFull({ count: events.length, limit, bytes });) {
    const range = { afterSeq: reached, toSeq: Math.min(lastSeq, reached + SEARCH_SEQ_MAX) };
    const fetched = await fetchRange(client, { ...range, types, limit: limit - events.length });
    events.push(...fetched.rows.map((row) => parseRow(core, row)));
    bytes += fetched.rows.at(-1)?.[2] ?? 0;
    reached = fetched.toSeq;
  }
  return { events, toSeq: reached };
}

/** How many events a replay fetches at a time, twice. */
const REPLAY_PAGE_EVENTS = 1_000;
/** How many of them are parsed and given at a time: what lives until V8 looks at its young generation is copied, for more than reading costs. */
const GIVEN_EVENTS_MAX = 100;

/**
 * Reads on to the head, page after page. While this side parses one page and the caller works on it, Postgres prepares the next.
 * Returns the seq that it has come to, whatever the type of the event there.
 */
export async function* replay(
  core: LogCore,
  client: Queryable,
  { afterSeq, types, givenMax = GIVEN_EVENTS_MAX }: { afterSeq: number; types?: readonly string[]; givenMax?: number },
): AsyncGenerator<Sequenced[], number, void> {
  const limit = types ? SEARCH_SEQ_MAX : REPLAY_PAGE_EVENTS;
  const fetchAfter = async (from: number, head: number): Promise<Fetched> => {
    const toSeq = Math.min(head, from + limit);
    return toSeq <= from ? { rows: [], toSeq: from } : fetchRange(client, { afterSeq: from, toSeq, types, limit });
  };
  for (let from = afterSeq; ;) {
    // The log may have grown while it was read.
    const head = await readHead(client);
    if (head <= from) return from;
    let next = fetchAfter(from, head);
    while (from < head) {
      const { rows, toSeq } = await next;
      from = toSeq;
      next = fetchAfter(from, head);
      // A caller that stops early leaves this one behind; its failure is nobody's then.
      next.catch(() => undefined);
      // Parsing keeps the event loop busy, so the request is let out first.
      await new Promise((resolve) => setImmediate(resolve));
      for (let start = 0; start < rows.length; start += givenMax) {
        yield rows.slice(start, start + givenMax).map((row) => parseRow(core, row));
      }
    }
  }
}

/** The greatest seq numbered so far. */
export async function readHead(client: Queryable): Promise<number> {
  const { rows } = await client.query<{ seq: number }>('select seq from sequencer');
  return rows[0]!.seq;
}

async function fetchRange(client: Queryable, { afterSeq, toSeq, types, limit }: Range): Promise<Fetched> {
  const { rows } = await client.query<LogRow>({
    text: types ? SOME_TYPES : ALL_TYPES,
    values: [afterSeq, toSeq, ...(types ? [types, limit] : [])],
    rowMode: 'array',
  });
  const last = rows.at(-1);
  return { rows, toSeq: last && isFull({ count: rows.length, limit, bytes: last[2] }) ? last[0] : toSeq };
}

function parseRow(core: LogCore, [seq, json]: LogRow): Sequenced {
  return readSequenced(core.service, core.catalog, seq, json);
}
