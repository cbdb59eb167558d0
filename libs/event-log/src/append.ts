import type { PoolClient } from 'pg';
import { int2Array, int4Array, int8Array, textArray } from './binary-array';
import { assertStorableText, canonicalJson } from './canonical-json';
import { CommandRefused } from './decider';
import type { EventCatalog, EventMeta, NewEvent } from './event';
import { hashedMeta } from './recorded';

/** The data of one event, as stored. Larger things travel as URIs into the object store. */
export const EVENT_BYTES_MAX = 4 * 1024 * 1024;
/** A command that needs more is several commands. */
export const APPEND_EVENTS_MAX = 1_000;
export const APPEND_BYTES_MAX = 16 * 1024 * 1024;

/** An event ready to be stored: its text is what is hashed. */
export interface PreparedEvent {
  readonly type: string;
  readonly schema: number;
  readonly text: string;
}

export interface StreamAppend {
  readonly stream: string;
  /** The version that was decided upon; undefined appends at whatever version the stream has. */
  readonly expectedVersion?: number;
  readonly parts: readonly AppendPart[];
}

/** Events of one cause, in order. */
export interface AppendPart {
  readonly events: readonly PreparedEvent[];
  readonly meta: PreparedMeta;
}

/** The circumstances of events, ready to be stored. */
export interface PreparedMeta {
  /** What is hashed of them. */
  readonly text: string;
  readonly traceparent: string | null;
}

export interface AppendOptions {
  /** Locks to take first, ascending; none when the caller holds them. */
  lockKeys?: readonly bigint[];
  command?: { id: string; requestHash: string; result: string };
  /** Of the inline projections that the events touch; see projections/declared.ts. */
  inline: InlineGuard;
}

/** What keeps an append and a rebuild of inline projections apart. */
export interface InlineGuard {
  /** Held, shared, until commit. */
  readonly locks: readonly bigint[];
  /** What this process takes to be declared. */
  readonly declared: string;
}

/** Where a stream's last appended event stands. */
export interface AppendedTo {
  readonly version: number;
  readonly time: string;
}

/**
 * Checks events against the catalog and the limits and writes their canonical text, before anything is stored.
 *
 * @throws CommandRefused `too-large` beyond the named limits, `invalid` for what JSON and Postgres cannot hold.
 */
export function prepareEvents(catalog: EventCatalog, events: readonly NewEvent[]): PreparedEvent[] {
  if (events.length > APPEND_EVENTS_MAX) {
    throw tooLarge(
      'APPEND_TOO_LARGE',
      `${events.length} events at once; at most ${APPEND_EVENTS_MAX} are appended together`,
    );
  }
  let bytesTotal = 0;
  return events.map(({ type, data }) => {
    const entry = Object.hasOwn(catalog, type) ? catalog[type] : undefined;
    if (!entry) throw new Error(`events of type ${type} are not in the catalog: define them in libs/contracts`);
    const text = canonicalJson(data);
    const bytes = Buffer.byteLength(text);
    bytesTotal += bytes;
    if (bytes > EVENT_BYTES_MAX) {
      throw tooLarge('EVENT_TOO_LARGE', `a ${type} of ${bytes} bytes; an event may have ${EVENT_BYTES_MAX}`);
    }
    if (bytesTotal > APPEND_BYTES_MAX) {
      throw tooLarge('APPEND_TOO_LARGE', `more than ${APPEND_BYTES_MAX} bytes of events in one append`);
    }
    return { type, schema: entry.schema, text };
  });
}

/** @throws CommandRefused `invalid` for what JSON and Postgres cannot hold. */
export function prepareMeta(meta: EventMeta): PreparedMeta {
  const { traceparent = null } = meta;
  if (traceparent !== null) assertStorableText(traceparent);
  return { text: canonicalJson(hashedMeta(meta)), traceparent };
}

const APPEND = {
  name: 'mledger_append',
  text: 'select * from append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)',
};

/** Appends to streams in one statement; see append_events in schema.sql.ts. The result is in the streams' order. */
export async function appendEvents(
  client: Pick<PoolClient, 'query'>,
  appends: readonly StreamAppend[],
  { lockKeys = [], command, inline }: AppendOptions,
): Promise<AppendedTo[]> {
  const streams: number[] = [];
  const types: string[] = [];
  const schemas: number[] = [];
  const data: string[] = [];
  const metas: string[] = [];
  const traces: (string | null)[] = [];
  appends.forEach(({ parts }, index) => {
    for (const { events, meta } of parts) {
      for (const event of events) {
        streams.push(index + 1);
        types.push(event.type);
        schemas.push(event.schema);
        data.push(event.text);
        metas.push(meta.text);
        traces.push(meta.traceparent);
      }
    }
  });
  const result = await client.query<[number, string]>({
    ...APPEND,
    rowMode: 'array',
    values: [
      int8Array(lockKeys),
      int8Array(inline.locks),
      inline.declared,
      textArray(appends.map(({ stream }) => stream)),
      int8Array(appends.map(({ expectedVersion }) => (expectedVersion === undefined ? null : BigInt(expectedVersion)))),
      int4Array(streams),
      textArray(types),
      int2Array(schemas),
      textArray(data),
      textArray(metas),
      textArray(traces),
      command?.id ?? null,
      command?.requestHash ?? null,
      command?.result ?? null,
    ],
  });
  return result.rows.map(([version, time]) => ({ version, time }));
}

function tooLarge(code: string, message: string): CommandRefused {
  return new CommandRefused({ kind: 'too-large', code, message });
}
