export const TRY_LOCK = `select pg_try_advisory_xact_lock($1::bigint) as taken`;

export const READ_CHECKPOINT = `select seq from checkpoints where name = $1`;

export const MOVE_CHECKPOINT = `
  insert into checkpoints (name, seq) values ($1, $2) on conflict (name) do update set seq = excluded.seq`;
