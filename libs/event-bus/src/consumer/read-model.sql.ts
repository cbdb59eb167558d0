export const LOCK_EXCLUSIVE = `select pg_advisory_xact_lock($1::bigint)`;
export const TRY_LOCK_SHARED = `select pg_try_advisory_xact_lock_shared($1::bigint) as held`;

export const READ_GENERATIONS = `select live, building, ddl_hash as "ddlHash" from read_models where name = $1`;

export const ADD_READ_MODEL = `insert into read_models (name, live, ddl_hash) values ($1, 0, '')`;

export const BEGIN_BUILDING = `update read_models set building = $2 where name = $1`;

export const SHOW_GENERATION = `update read_models set live = $2, building = null, ddl_hash = $3 where name = $1`;

/** Whether $2 has yet to handle something that $1 has. */
export const IS_BEHIND = `
  select exists (
    select from consumer_offsets old left join consumer_offsets new
      on new.consumer = $2 and new.topic = old.topic and new.partition = old.partition
    where old.consumer = $1 and coalesce(new.last_seq, 0) < coalesce(old.last_seq, 0)
  ) as behind`;

export const FORGET_GENERATION = [
  'delete from consumer_offsets where consumer = $1',
  'delete from consumer_streams where consumer = $1',
  'delete from parked_events where consumer = $1',
];
