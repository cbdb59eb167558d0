import type { PoolClient } from 'pg';
import type { Sequenced } from './event';
import type { LogCore } from './log-core';
import { EVENT_JSON, readSequenced } from './recorded';

type Queryable = Pick<PoolClient, 'query'>;

type LogRow = [seq: number, json: string];

interface FetchedPage {
  readonly rows: LogRow[];
  readonly toSeq: number;
}

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
select o.seq, ${EVENT_JSON}
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
  const pageSeqMax = types ? SEARCH_SEQ_MAX : REPLAY_PAGE_EVENTS;
  const fetchAfter = async (from: number, head: number): Promise<FetchedPage> => {
    const toSeq = Math.min(head, from + pageSeqMax);
    if (toSeq <= from) return { rows: [], toSeq: from };
    const values = [from, toSeq, ...(types ? [types, pageSeqMax] : [])];
    return { rows: await fetchRange(client, types ? SOME_TYPES : ALL_TYPES, values), toSeq };
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
        yield rows
          .slice(start, start + givenMax)
          .map(([seq, json]) => readSequenced(core.service, core.catalog, seq, json));
      }
    }
  }
}

/** The greatest seq numbered so far. */
export async function readHead(client: Queryable): Promise<number> {
  const { rows } = await client.query<{ seq: number }>('select seq from sequencer');
  return rows[0]!.seq;
}

async function readRange(core: LogCore, client: Queryable, text: string, values: unknown[]): Promise<Sequenced[]> {
  const rows = await fetchRange(client, text, values);
  return rows.map(([seq, json]) => readSequenced(core.service, core.catalog, seq, json));
}

async function fetchRange(client: Queryable, text: string, values: unknown[]): Promise<LogRow[]> {
  const { rows } = await client.query<LogRow>({ text, values, rowMode: 'array' });
  return rows;
}
