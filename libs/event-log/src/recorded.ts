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
  const [streamId, version, type, schema, data, meta, traceparent, at] = row;
  const { actor, cause, correlation, tenant } = JSON.parse(meta) as HashedMeta;
  const current = upcast(catalog, type, schema, JSON.parse(data) as object);
  const event: Recorded = {
    id: eventId(service, streamId, version),
    stream: streamId,
    version,
    type,
    schema: current.schema,
    time: isoTime(at),
    tenant,
    actor,
    cause,
    correlation,
    data: current.data,
  };
  return traceparent === null ? event : { ...event, traceparent };
}

export function readSequenced(service: string, catalog: EventCatalog, [seq, ...row]: [number, ...EventRow]): Sequenced {
  return Object.assign(readRecorded(service, catalog, row), { seq });
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
