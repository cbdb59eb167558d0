import type { EventCatalog, EventMeta, NewEvent, Recorded, Sequenced } from './event';
import { eventId } from './ids';
import { upcast } from './upcast';

/** The columns of `events e` that make a recorded event, as the readers below expect them. */
export const EVENT_COLUMNS =
  'e.stream, e.version, e.type, e.schema, e.data::text as data, e.meta::text as meta, e.traceparent, e.at::text as at';

/** A row of EVENT_COLUMNS, in row mode `array`. */
export type EventRow = [
  stream: string,
  version: number,
  type: string,
  schema: number,
  data: string,
  meta: string,
  traceparent: string | null,
  at: string,
];

type HashedMeta = Omit<EventMeta, 'traceparent'>;

/** The single door through which stored events are read: here old data becomes today's. */
export function readRecorded(service: string, catalog: EventCatalog, row: EventRow): Recorded {
  return readColumns(service, catalog, row, 0);
}

export function readSequenced(service: string, catalog: EventCatalog, row: readonly [number, ...EventRow]): Sequenced {
  const event = readColumns(service, catalog, row, 1) as Recorded & { seq: number };
  event.seq = row[0];
  return event;
}

/** Every event of a long log comes through here, so nothing is copied that need not be. */
function readColumns(service: string, catalog: EventCatalog, row: readonly unknown[], from: 0 | 1): Recorded {
  const stream = row[from] as string;
  const version = row[from + 1] as number;
  const type = row[from + 2] as string;
  const traceparent = row[from + 6] as string | null;
  const meta = JSON.parse(row[from + 5] as string) as HashedMeta;
  const current = upcast(catalog, type, row[from + 3] as number, JSON.parse(row[from + 4] as string) as object);
  const event: Recorded = {
    id: eventId(service, stream, version),
    stream,
    version,
    type,
    schema: current.schema,
    time: isoTime(row[from + 7] as string),
    tenant: meta.tenant,
    actor: meta.actor,
    cause: meta.cause,
    correlation: meta.correlation,
    data: current.data,
  };
  return traceparent === null ? event : { ...event, traceparent };
}

/** `2026-11-23 08:00:00.12+00`, as Postgres writes it in UTC, with three decimals. */
export function isoTime(text: string): string {
  const fraction = text
    .slice(19, -3)
    .padEnd(4, text.length > 22 ? '0' : '.000')
    .slice(0, 4);
  return `${text.slice(0, 10)}T${text.slice(11, 19)}${fraction}Z`;
}

/** What is hashed and stored of an event's circumstances. */
export function hashedMeta(meta: EventMeta): HashedMeta {
  return { actor: meta.actor, cause: meta.cause, correlation: meta.correlation, tenant: meta.tenant };
}

/** An event just appended, equal to what a later read returns. */
export function recordedNow(
  service: string,
  event: NewEvent & { schema: number },
  at: { stream: string; version: number; time: string },
  meta: EventMeta,
): Recorded {
  const recorded: Recorded = {
    id: eventId(service, at.stream, at.version),
    stream: at.stream,
    version: at.version,
    type: event.type,
    schema: event.schema,
    time: at.time,
    ...hashedMeta(meta),
    data: event.data,
  };
  return meta.traceparent === undefined ? recorded : { ...recorded, traceparent: meta.traceparent };
}
