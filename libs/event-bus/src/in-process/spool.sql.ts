/**
 * The spool of the in-process bus, in a schema of its own. `next_position` is kept apart from the rows, so that a
 * position is never given twice, also when retention has emptied the topic.
 */
export const CREATE_SPOOL = `
  create schema if not exists mledger_bus;
  create table if not exists mledger_bus.spool_topics (
    topic text primary key,
    next_position bigint not null,
    retention_ms bigint not null
  );
  create table if not exists mledger_bus.spool (
    topic text not null,
    position bigint not null,
    key text not null,
    headers json not null,
    value bytea not null,
    at timestamptz not null default now(),
    primary key (topic, position)
  );
  create index if not exists spool_age on mledger_bus.spool (topic, at);
`;

export const ENSURE_TOPIC = `
  insert into mledger_bus.spool_topics (topic, next_position, retention_ms) values ($1, 0, $2)
  on conflict (topic) do update set retention_ms = excluded.retention_ms`;

/**
 * One statement, so one fsync. The row of the topic is locked until the commit: what is visible is always complete up
 * to the highest position, and a reader that goes by position misses nothing.
 */
export const APPEND = `
  with place as (
    update mledger_bus.spool_topics set next_position = next_position + cardinality($2::text[])
    where topic = $1 returning next_position - cardinality($2::text[]) as first
  ), stored as (
    insert into mledger_bus.spool (topic, position, key, headers, value)
    select $1, place.first + message.n - 1, message.key, message.headers, message.value
    from place, unnest($2::text[], $3::json[], $4::bytea[]) with ordinality as message (key, headers, value, n)
  )
  select first + cardinality($2::text[]) as next from place`;

/** At most $3 messages and, from the second on, $4 bytes; octet_length does not fetch the bytes. */
export const READ = `
  select position, key, headers, value from mledger_bus.spool
  where topic = $1 and position >= $2 and position <= (
    select max(position) from (
      select position, n, sum(bytes) over (order by position) as bytes from (
        select position, row_number() over (order by position) as n, octet_length(value) as bytes
        from mledger_bus.spool where topic = $1 and position >= $2 order by position limit $3
      ) next
    ) sized where bytes <= $4 or n = 1
  )
  order by position`;

export const RANGE = `
  select coalesce((select min(position) from mledger_bus.spool where topic = $1), next_position) as low, next_position as high
  from mledger_bus.spool_topics where topic = $1`;

export const EXPIRE = `
  delete from mledger_bus.spool using mledger_bus.spool_topics t
  where spool.topic = t.topic and t.retention_ms >= 0 and spool.at < now() - t.retention_ms * interval '1 millisecond'`;
