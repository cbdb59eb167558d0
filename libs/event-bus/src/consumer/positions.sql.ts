/**
 * How far a handler is. `last_seq` says what was done: it grows within a partition, so what is not above it is a
 * redelivery. `next_offset` only says where the transport shall read on.
 */
export const START_FROM = `
  select next_offset from consumer_offsets where consumer = $1 and topic = $2 and partition = $3`;

export const FORGET_POSITION = `
  delete from consumer_offsets where consumer = $1 and topic = $2 and partition = $3`;

/** $3: the streams in hand; those of them that have parked events come back in `parked`. Read only under the lock. */
export const POSITIONS = `
  select
    (select json_object_agg(partition, json_build_array(next_offset::text, last_seq::text))
       from consumer_offsets where consumer = $1 and topic = $2) as positions,
    (select json_agg(distinct stream)
       from parked_events where consumer = $1 and topic = $2 and stream = any($3::text[])) as parked`;

export const MOVE = `
  insert into consumer_offsets (consumer, topic, partition, next_offset, last_seq) values ($1, $2, $3, $4, $5)
  on conflict (consumer, topic, partition) do update
  set next_offset = excluded.next_offset, last_seq = greatest(consumer_offsets.last_seq, excluded.last_seq)`;

/** $1 as text, because a driver's number cannot hold 64 bits. */
export const LOCK = `select pg_advisory_xact_lock($1::bigint)`;

/**
 * A replica that hangs in its transaction (a frozen machine, a lost network) must not hold the lock for ever: Postgres
 * ends a transaction that says nothing for a minute.
 */
export const TRY_LOCK = `
  select pg_try_advisory_xact_lock($1::bigint) as held, set_config('idle_in_transaction_session_timeout', '60s', true)`;

export const VERSIONS = `
  select stream, version from consumer_streams where consumer = $1 and topic = $2 and stream = any($3::text[])`;

export const MOVE_VERSIONS = `
  insert into consumer_streams (consumer, topic, stream, version)
  select $1, $2, stream, version from unnest($3::text[], $4::bigint[]) as seen (stream, version)
  on conflict (consumer, topic, stream) do update set version = excluded.version`;
