import type { EventCatalog, EventMeta, NewEvent, Recorded, Sequenced } from './event';
import { eventId } from './ids';
import { upcast } from './upcast';

/**
 * One event of `events e` as one JSON text, which readRecorded reads: to take apart eight columns, two of them JSON, costs Node a
 * sixth more of a replay. Put together by hand because json_build_array looks up the type of each value each time.
 */
export const EVENT_JSON = `
concat('[', to_json(e.stream), ',', e.version, ',', to_json(e.type), ',', e.schema, ',', e.data, ',', e.meta, ',',
       coalesce(to_json(e.traceparent)::text, 'null'), ',"', e.at, '"]')`;

type StoredEvent = [
  stream: string,
  version: number,
  type: string,
  schema: number,
  data: object,
  meta: HashedMeta,
  traceparent: string | null,
  at: string,
];

type HashedMeta = Omit<EventMeta, 'traceparent'>;

/** The single door through which stored events are read, each as EVENT_JSON has it: here old data becomes today's. */
export function readRecorded(service: string, catalog: EventCatalog, json: string): Recorded {
  const [stream, version, type, storedSchema, storedData, meta, traceparent, at] = JSON.parse(json) as StoredEvent;
  const { schema, data } = upcast(catalog, type, storedSchema, storedData);
  const event: Recorded = {
    id: eventId(service, stream, version),
    stream,
    version,
    type,
    schema,
    time: isoTime(at),
    tenant: meta.tenant,
    actor: meta.actor,
    cause: meta.cause,
    correlation: meta.correlation,
    data,
  };
  return traceparent === null ? event : { ...event, traceparent };
}

/** Every event of a long log comes through here, so it is not copied. */
export function readSequenced(service: string, catalog: EventCatalog, seq: number, json: string): Sequenced {
  const event = readRecorded(service, catalog, json) as Recorded & { seq: number };
  event.seq = seq;
  return event;
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
