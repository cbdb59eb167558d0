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
  const [stream, version, type, storedSchema, storedData, storedMeta, traceparent, at] = row;
  const { actor, cause, correlation, tenant } = JSON.parse(storedMeta) as HashedMeta;
  const { schema, data } = upcast(catalog, type, storedSchema, JSON.parse(storedData) as object);
  const id = eventId(service, stream, version);
  const event: Recorded = {
    id,
    stream,
    version,
    type,
    schema,
    time: isoTime(at),
    tenant,
    actor,
    cause,
    correlation,
    data,
  };
  return traceparent === null ? event : { ...event, traceparent };
}

export function readSequenced(
  service: string,
  catalog: EventCatalog,
  row: readonly [seq: number, ...EventRow],
): Sequenced {
  const [seq, ...event] = row;
  return Object.assign(readRecorded(service, catalog, event), { seq });
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
