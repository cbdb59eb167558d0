import type { PoolClient } from 'pg';
import type { AsOf } from './as-of';
import type { Decider } from './decider';
import type { NewEvent, Recorded } from './event';
import type { LogCore } from './log-core';
import { bytesUpTo, isFull, WITHIN_PAGE } from './page';
import { EVENT_JSON, readRecorded } from './recorded';
import type { CachedState } from './stream-cache';

/** Events are folded as they come, so a long stream is never whole in memory. */
const PAGE_EVENTS = 1_000;
const NO_BOUND = Number.MAX_SAFE_INTEGER;

type Queryable = Pick<PoolClient, 'query'>;

export interface FoldOptions {
  start?: CachedState;
  toVersion?: number;
  at?: AsOf;
  onEvent?: (event: Recorded) => void;
}

/** Replays a stream, from a cached state if there is one; version 0 and the initial state when there is no such stream. */
export async function foldStream<S, C, E extends NewEvent>(
  core: LogCore,
  client: Queryable,
  decider: Decider<S, C, E>,
  stream: string,
  options: FoldOptions,
): Promise<{ state: S; version: number }> {
  let state = options.start ? (options.start.state as S) : decider.initial;
  let version = options.start?.version ?? 0;
  for (;;) {
    const page = await readStreamPage(core, client, stream, {
      afterVersion: version,
      toVersion: options.toVersion ?? NO_BOUND,
      limit: PAGE_EVENTS,
      at: options.at,
    });
    for (const event of page.events) {
      state = decider.evolve(state, event as Recorded<E>);
      version = event.version;
      options.onEvent?.(event);
    }
    if (!page.more) return { state, version };
  }
}

export interface StreamPageTerms {
  afterVersion: number;
  toVersion: number;
  limit: number;
  at?: AsOf;
}

export interface StreamPage {
  readonly events: Recorded[];
  /** The limit of events or bytes came before the end of the stream, or with it. */
  readonly more: boolean;
}

const pageOf = (until: string) => `
select ${EVENT_JSON}, e.bytes_up_to
  from (select e.*, ${bytesUpTo('e.version')} from events e
         where e.stream = $1 and e.version > $2 and e.version <= $3 ${until} order by e.version limit $4) e
 where ${WITHIN_PAGE} order by e.version`;
// Not prepared: a plan made for a table that is small today would scan it when it is large.
const UNTIL = {
  now: pageOf(''),
  time: pageOf('and e.at <= $5'),
  seq: pageOf('and exists (select from log_order o where o.position = e.position and o.seq <= $5)'),
};

/** Events of one stream in version order. */
export async function readStreamPage(
  core: LogCore,
  client: Queryable,
  stream: string,
  { afterVersion, toVersion, limit, at }: StreamPageTerms,
): Promise<StreamPage> {
  const [text, bound] = !at ? [UNTIL.now, []] : 'seq' in at ? [UNTIL.seq, [at.seq]] : [UNTIL.time, [at.time]];
  const { rows } = await client.query<[json: string, bytesUpTo: number]>({
    text,
    rowMode: 'array',
    values: [stream, afterVersion, toVersion, limit, ...bound],
  });
  return {
    events: rows.map(([json]) => readRecorded(core.service, core.catalog, json)),
    more: isFull({ count: rows.length, limit, bytes: rows.at(-1)?.[1] }),
  };
}
