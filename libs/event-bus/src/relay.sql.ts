/** A relay that hangs in its turn must not keep the others off for ever; a slow broker is given two minutes. */
export const TRY_LOCK = `
  select pg_try_advisory_xact_lock($1::bigint) as taken, set_config('idle_in_transaction_session_timeout', '120s', true)`;

export const READ_CHECKPOINT = `select seq from checkpoints where name = $1`;

export const MOVE_CHECKPOINT = `
  insert into checkpoints (name, seq) values ($1, $2) on conflict (name) do update set seq = excluded.seq`;
