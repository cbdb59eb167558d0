export const KEEP_CHECKPOINTS = `
  insert into checkpoints_heard (service, seq, statement)
  select * from unnest($1::text[], $2::bigint[], $3::jsonb[])
  on conflict (service, seq) do nothing`;

export const CHECKPOINTS = `select statement from checkpoints_heard where service = $1 order by seq`;

/**
 * Of one connection, without a transaction: hashes are computed stream by stream and chained in the order of seq. A long
 * transaction that writes would hold up the sequencer of every service.
 */
export const MAKE_HASHES = [
  'drop table if exists pg_temp.copy_hashes',
  'create temp table copy_hashes (seq bigint primary key, hash bytea not null)',
];
export const DROP_HASHES = 'drop table if exists pg_temp.copy_hashes';
export const EMPTY_HASHES = 'truncate pg_temp.copy_hashes';
export const STORE_HASHES = 'insert into pg_temp.copy_hashes select * from unnest($1::bigint[], $2::bytea[])';

/** A service's events, stream by stream. $1 service, $2 up to seq, $3 after stream, $4 after version, $5 limit */
export const BY_STREAM = `
  select id, tenant, seq, stream, version, type, schema, time, actor, cause, correlation, data
  from timeline where service = $1 and seq <= $2 and (stream, version) > ($3, $4) order by stream, version limit $5`;

/** $1 after seq, $2 limit */
export const BY_SEQ = 'select seq, hash from pg_temp.copy_hashes where seq > $1 order by seq limit $2';

/** How far a service's events have been numbered, whether they are still there or not. $1 service */
export const NUMBERED = 'select coalesce(max(seq), 0) as seq from timeline_order where service = $1';

/** The newest seals of all, with what is needed to check them. $1 limit */
export const SEALS = `
  select event_id as "eventId", tenant from prediction_seals order by time desc, event_id limit $1`;
export const SEALS_COUNT = 'select count(*) as seals from prediction_seals';
