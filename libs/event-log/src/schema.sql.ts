import { bytesUpTo, WITHIN_PAGE } from './page';
import { EVENT_JSON } from './recorded';

/**
 * The tables of one service's log, made in the schema that the connection's search_path names. Columns that are private to this
 * database (position, xid) never leave it; the public order is log_order.seq.
 */
export const TABLES = `
create table streams (
  id        text   primary key,
  version   bigint not null,
  last_xid  xid8   not null,
  head_hash bytea  not null,
  at        timestamptz(3) not null
) with (fillfactor = 70);

create table events (
  position    bigint generated always as identity primary key,
  xid         xid8     not null,
  stream      text     not null,
  version     bigint   not null,
  type        text     not null,
  schema      smallint not null,
  data        json     not null,
  meta        json     not null,
  traceparent text,
  at          timestamptz(3) not null,
  hash        bytea    not null,
  constraint events_stream_version unique (stream, version)
);
create index events_xid_position on events (xid, position);

create table commands (
  id           uuid  primary key,
  request_hash text  not null,
  result       json  not null,
  at           timestamptz(3) not null default now()
);
create index commands_at on commands (at);

create table log_order (
  seq      bigint primary key,
  position bigint not null unique,
  chain    bytea  not null
);

-- The sequencer's own state: where it stands in (xid, position), and the head of the public order.
create table sequencer (
  only_row boolean primary key default true check (only_row),
  xid      xid8   not null,
  position bigint not null,
  seq      bigint not null,
  chain    bytea  not null,
  at       timestamptz(3)
);
insert into sequencer (xid, position, seq, chain) values ('0', 0, 0, decode(repeat('00', 32), 'hex'));

-- The latest time of all events up to seq, at most one mark a second: where a search for the seq of a time begins.
create table time_marks (at timestamptz(3) primary key, seq bigint not null);

create table checkpoints (name text primary key, seq bigint not null);

create table signed_checkpoints (
  seq       bigint  primary key,
  statement json    not null,
  published boolean not null default false
);
create index signed_checkpoints_unpublished on signed_checkpoints (seq) where not published;

-- declaration: a hash of the entity's columns, the mode and the event types; null when the service no longer declares it.
create table projections (
  name        text primary key,
  live        int  not null,
  declaration text
);

-- Moves when the declared inline projections change. A process that knows others would append without the new one's rows.
create table declared (only_row boolean primary key default true check (only_row), inline_hash text not null);
insert into declared (inline_hash) values ('');
`;

/** An accidental update or delete fails for every role; docs/tamper-evidence.md says what that does and does not prevent. */
export const GUARDS = `
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the log is append-only: % on % is refused', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

create trigger append_only before update or delete or truncate on events
  for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on log_order
  for each statement execute function refuse_change();
revoke update, delete, truncate on events, log_order from public;
`;

/** What a page is bounded by. Counted here, so that nobody who appends can say another number. */
export const EVENT_BYTES = `
alter table events add column bytes int not null generated always as (octet_length(data::text)) stored;
`;

/**
 * All that a command reads, in one round trip: locks its streams, looks whether the command was answered before (then a single row
 * with target 0: its request's hash and its result), and reads each stream from a version on, at most page_events of each and
 * within the bytes of a page.
 * Each statement in here sees what was committed before the locks were granted. Takes no transaction id.
 */
export const OPEN_COMMAND = `
create function open_command(
  lock_keys bigint[], command_id uuid, stream_ids text[], after_versions bigint[], page_events int
) returns table (target int, body text, bytes_up_to bigint)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
begin
  perform pg_advisory_xact_lock(k) from unnest(lock_keys) as k;
  if command_id is not null then
    return query select 0, json_build_array(c.request_hash, c.result)::text, null::bigint from commands c where c.id = command_id;
    if found then return; end if;
  end if;
  return query
  select i.n::int, ${EVENT_JSON}, e.bytes_up_to
    from unnest(stream_ids, after_versions) with ordinality as i(id, after, n)
   cross join lateral (select e.*, ${bytesUpTo('e.version')} from events e
                        where e.stream = i.id and e.version > i.after
                        order by e.version limit page_events) e
   where ${WITHIN_PAGE};
end $$;
`;

/**
 * Appends events to streams that are locked already, or locks them itself (lock_keys, ascending). One round trip: takes the
 * transaction id, refuses a stream that a later id has written to, extends each stream's hash chain, stores the command,
 * the events and the streams' heads. The text that is hashed is written out again in hash-chain.ts, for verify.
 *
 * 40001 means: read again and decide again.
 */
export const APPEND_EVENTS = `
create function append_events(
  lock_keys bigint[], shared_lock_keys bigint[], known_inline_hash text,
  stream_ids text[], expected_versions bigint[],
  event_streams int[], event_types text[], event_schemas smallint[],
  event_data text[], event_meta text[], event_traces text[],
  command_id uuid, command_hash text, command_result json
) returns table (stream_version bigint, stream_at text)
language plpgsql
-- Planned once, for tables of every size: so what is small today must not be scanned. Planning each time costs more than all else.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  my_xid xid8;
  now_ms timestamptz := date_trunc('milliseconds', clock_timestamp());
  inline_hash text;
  versions bigint[]; xids xid8[]; hashes bytea[]; times timestamptz[]; time_texts text[]; stream_texts text[];
  event_versions bigint[]; event_hashes bytea[];
  s int;
begin
  -- The shared ones, held until commit, come last: a rebuild that waits for them sees all that went to the table it replaces.
  perform case when k.shared then pg_advisory_xact_lock_shared(k.key) else pg_advisory_xact_lock(k.key) end
     from (select key, false as shared from unnest(lock_keys) as key
           union all select key, true from unnest(shared_lock_keys) as key) as k;
  -- Taken after the locks: then every writer of a stream has a greater id than the writer before it.
  my_xid := pg_current_xact_id();

  if command_id is not null then
    insert into commands (id, request_hash, result) values (command_id, command_hash, command_result);
  end if;

  select array_agg(coalesce(h.version, 0) order by i.n), array_agg(h.last_xid order by i.n),
         array_agg(coalesce(h.head_hash, '\\x0000000000000000000000000000000000000000000000000000000000000000') order by i.n),
         array_agg(greatest(h.at, now_ms) order by i.n), array_agg(to_json(i.id)::text order by i.n),
         (select d.inline_hash from declared d)
    into versions, xids, hashes, times, stream_texts, inline_hash
    from unnest(stream_ids) with ordinality as i(id, n) left join streams h on h.id = i.id;

  if inline_hash <> known_inline_hash then
    raise exception 'another version of this service has changed the inline projections: restart this process'
      using errcode = 'ML503';
  end if;
  for s in 1 .. coalesce(cardinality(stream_ids), 0) loop
    if xids[s] > my_xid then
      raise exception 'stream % has been written by a later transaction', stream_ids[s] using errcode = '40001';
    end if;
    if expected_versions[s] <> versions[s] then
      raise exception 'stream % is at version %, not %', stream_ids[s], versions[s], expected_versions[s]
        using errcode = '40001';
    end if;
    time_texts[s] := to_char(times[s] at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
  end loop;

  for e in 1 .. coalesce(cardinality(event_streams), 0) loop
    s := event_streams[e];
    versions[s] := versions[s] + 1;
    hashes[s] := sha256(hashes[s] || convert_to(concat(
      '{"data":', event_data[e], ',"meta":', event_meta[e], ',"schema":', event_schemas[e],
      ',"stream":', stream_texts[s], ',"time":"', time_texts[s],
      '","type":', to_json(event_types[e])::text, ',"version":', versions[s], '}'), 'UTF8'));
    event_versions[e] := versions[s];
    event_hashes[e] := hashes[s];
  end loop;

  with inserted as (
    insert into events (xid, stream, version, type, schema, data, meta, traceparent, at, hash)
    select my_xid, stream_ids[n.s], n.version, n.type, n.schema, n.data::json, n.meta::json, n.trace, times[n.s], n.hash
      from unnest(event_streams, event_versions, event_types, event_schemas, event_data, event_meta, event_traces, event_hashes)
        as n(s, version, type, schema, data, meta, trace, hash)
  )
  insert into streams (id, version, last_xid, head_hash, at)
  select n.id, n.version, my_xid, n.hash, n.at from unnest(stream_ids, versions, hashes, times) as n(id, version, hash, at)
  on conflict (id) do update
    set version = excluded.version, last_xid = excluded.last_xid, head_hash = excluded.head_hash, at = excluded.at;

  return query select v.version, v.at from unnest(versions, time_texts) as v(version, at);
end $$;
`;

/**
 * One turn of the sequencer: numbers committed events below the snapshot's horizon, densely, in (xid, position) order, and
 * extends the chain over them. Every transaction that could still add an event below the horizon has ended, so none is
 * missed and none appears behind the cursor. Without the lock another replica is at it.
 */
export const SEQUENCE_EVENTS = `
create function sequence_events(lock_key bigint, count_max int) returns table (numbered int, head bigint)
language plpgsql
-- Likewise, and the index has the order: never sort all that is left.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_sort = off
as $$
declare
  cursor_row sequencer%rowtype;
  event_row record;
  positions bigint[]; chains bytea[];
  n int := 0;
  marked_at timestamptz;
begin
  if not pg_try_advisory_xact_lock(lock_key) then
    return query select 0, s.seq from sequencer s;
    return;
  end if;
  select * into cursor_row from sequencer;
  for event_row in
    select e.xid, e.position, e.hash, e.at from events e
     where (e.xid, e.position) > (cursor_row.xid, cursor_row.position)
       and e.xid < pg_snapshot_xmin(pg_current_snapshot())
     order by e.xid, e.position limit count_max
  loop
    n := n + 1;
    cursor_row.chain := sha256(cursor_row.chain || event_row.hash);
    cursor_row.xid := event_row.xid;
    cursor_row.position := event_row.position;
    cursor_row.at := greatest(cursor_row.at, event_row.at);
    positions[n] := event_row.position;
    chains[n] := cursor_row.chain;
  end loop;
  if n > 0 then
    insert into log_order (seq, position, chain)
    select cursor_row.seq + o.n, o.position, o.chain
      from unnest(positions, chains) with ordinality as o(position, chain, n);
    update sequencer set xid = cursor_row.xid, position = cursor_row.position, seq = cursor_row.seq + n,
      chain = cursor_row.chain, at = cursor_row.at;
    select max(m.at) into marked_at from time_marks m;
    if marked_at is null or date_trunc('second', cursor_row.at) > marked_at then
      insert into time_marks (at, seq) values (cursor_row.at, cursor_row.seq + n);
    end if;
  end if;
  return query select n, cursor_row.seq + n;
end $$;
`;

/**
 * Makes a log that was restored from a dump at home in this cluster: numbers what the dump had not numbered, by position (right for each
 * stream), and forgets the transaction ids of the other cluster, which are above this one's. Returns how many it numbered.
 */
export const ADOPT_RESTORED = `
create function adopt_restored() returns bigint language plpgsql as $$
declare
  head sequencer%rowtype;
  event_row record;
  n bigint := 0;
begin
  lock table events, streams, log_order, sequencer in exclusive mode;
  select * into head from sequencer;
  for event_row in
    select e.position, e.hash, e.at from events e left join log_order o on o.position = e.position
     where o.seq is null order by e.position
  loop
    n := n + 1;
    head.chain := sha256(head.chain || event_row.hash);
    head.at := greatest(head.at, event_row.at);
    insert into log_order (seq, position, chain) values (head.seq + n, event_row.position, head.chain);
  end loop;
  alter table events disable trigger append_only;
  update events set xid = '0';
  alter table events enable trigger append_only;
  update streams set last_xid = '0';
  update sequencer set xid = '0', position = (select coalesce(max(position), 0) from events),
    seq = head.seq + n, chain = head.chain, at = head.at;
  return n;
end $$;
`;
