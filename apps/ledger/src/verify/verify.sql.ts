import { bytesUpTo, WITHIN_PAGE } from '@mledger/event-log';

export const KEEP_CHECKPOINTS = `
  insert into checkpoints_heard (service, seq, statement)
  select * from unnest($1::text[], $2::bigint[], $3::jsonb[])
  on conflict (service, seq) do nothing`;

export const CHECKPOINTS = `select statement from checkpoints_heard where service = $1 order by seq`;

/**
 * How far each stream is while a service's events are gone through. Of one connection, and without a transaction: a long
 * transaction that writes would hold up the sequencer of every service.
 */
export const MAKE_HEADS = [
  'drop table if exists pg_temp.stream_heads',
  'create temp table stream_heads (stream text primary key, version integer not null, hash bytea not null)',
];
export const DROP_HEADS = 'drop table if exists pg_temp.stream_heads';
export const EMPTY_HEADS = 'truncate pg_temp.stream_heads';
export const READ_HEADS = 'select stream, version, hash from pg_temp.stream_heads where stream = any($1::text[])';
export const MOVE_HEADS = `
  insert into pg_temp.stream_heads select * from unnest($1::text[], $2::int[], $3::bytea[])
  on conflict (stream) do update set version = excluded.version, hash = excluded.hash`;

/** A service's events in their order, as many as the bytes of a page allow. $1 service, $2 after seq, $3 up to seq */
export const COPIED_EVENTS = `
  select id, tenant, seq, stream, version, type, schema, time, actor, cause, correlation, data, bytes_up_to as "bytesUpTo"
  from (select e.*, ${bytesUpTo('e.seq')} from timeline e where e.service = $1 and e.seq > $2 and e.seq <= $3) e
  where ${WITHIN_PAGE} order by seq`;

/** How far a service's events have been numbered, whether they are still there or not. $1 service */
export const NUMBERED = 'select coalesce(max(seq), 0) as seq from timeline_order where service = $1';

/** The newest seals of all, with what is needed to check them. $1 limit */
export const SEALS = `
  select event_id as "eventId", tenant from prediction_seals order by time desc, event_id limit $1`;
export const SEALS_COUNT = 'select count(*) as seals from prediction_seals';
