import { IN_PROCESS_PARTITION } from '../stream-partition';

export const LOCK_EXCLUSIVE = `select pg_advisory_xact_lock($1::bigint)`;
export const LOCK_SHARED = `select pg_advisory_xact_lock_shared($1::bigint)`;
export const TRY_LOCK_SHARED = `select pg_try_advisory_xact_lock_shared($1::bigint) as held`;

export const READ_DDL_HASH = `select ddl_hash as "ddlHash" from read_models where name = $1`;

export const STORE_DDL_HASH = `
  insert into read_models (name, ddl_hash) values ($1, $2)
  on conflict (name) do update set ddl_hash = excluded.ddl_hash, building = null`;

export const READ_BUILDING = `select building from read_models where name = $1`;
export const BEGIN_BUILDING = `update read_models set building = $2 where name = $1`;
export const SHOWN = `update read_models set building = null where name = $1`;

/**
 * Whether $2 has yet to handle something that $1 has, over the same transport ($3: in process): where the installation had another
 * before, $1 has a position there that $2, which reads all of it over this one, will never have.
 */
export const IS_BEHIND = `
  select exists (
    select from consumer_offsets live left join consumer_offsets building
      on building.consumer = $2 and building.topic = live.topic and building.partition = live.partition
    where live.consumer = $1 and (live.partition = ${IN_PROCESS_PARTITION}) = $3 and coalesce(building.last_seq, 0) < coalesce(live.last_seq, 0)
  ) as behind`;

const TABLES = ['consumer_offsets', 'consumer_streams', 'parked_events'];

/** What is known of a consumer's progress. */
export const FORGET = TABLES.map((table) => `delete from ${table} where consumer = $1`);

/** $1 takes over the progress of $2. */
export const ADOPT = TABLES.map((table) => `update ${table} set consumer = $1 where consumer = $2`);
