import { bytesUpTo, WITHIN_PAGE } from '@mledger/event-log';

/** What every reader of the timeline gets of `timeline e`, beside its position as the cursor. */
export const EVENT_COLUMNS =
  'e.id, e.service, e.seq, e.type, e.stream, e.version, e.time, e.actor, e.cause, e.correlation, e.data';

/** Held by whoever gives out positions, until they are committed; so positions are seen in their order. */
export const TRY_LOCK = 'select pg_try_advisory_xact_lock($1::bigint) as held';

/**
 * Gives the next positions to rows that have none: of each service, those that follow on the last numbered seq without a
 * gap, at most $2 of them. Among services they go by time, which never puts an event before one of its own service: an
 * event counts from the latest time up to it.
 * $1 the services, $2 events of a service at most
 */
export const NUMBER = `
  with frontier as materialized (
    select s.service, coalesce((select max(o.seq) from timeline_order o where o.service = s.service), 0) as seq
    from unnest($1::text[]) as s (service)
  ), following as (
    -- The range is bounded on both sides, and seq is dense: so Postgres need not guess how many rows it is.
    select t.tenant, t.service, t.seq, t.time, f.seq as frontier,
           row_number() over (partition by t.service order by t.seq) as nth
    from frontier f join timeline t on t.service = f.service and t.seq > f.seq and t.seq <= f.seq + $2
  ), dense as (
    select tenant, service, seq, max(time) over (partition by service order by seq) as reached
    from following where seq = frontier + nth
  )
  insert into timeline_order (position, tenant, service, seq)
  select (select coalesce(max(position), 0) from timeline_order) + row_number() over (order by reached, service, seq),
         tenant, service, seq
  from dense`;

export const HEAD = 'select coalesce(max(position), 0) as head from timeline_order';

/** The head, and whether some service's next event has come and waits for its position. $1 the services */
export const LOOK = `
  select (select coalesce(max(position), 0) from timeline_order) as head,
         exists (
           select from unnest($1::text[]) as s (service)
           join timeline t on t.service = s.service
            and t.seq = 1 + coalesce((select max(o.seq) from timeline_order o where o.service = s.service), 0)
         ) as waiting`;

/**
 * Whether each numbered event is in the timeline. It is not while the table is being filled again after a change of its
 * columns; a page read then would pass over what is missing.
 */
export const IS_WHOLE = `
  select coalesce(bool_and(n.events = n.last), true) as whole
  from (
    select max(o.seq) as last,
           (select count(*) from timeline t where t.service = o.service and t.seq <= max(o.seq)) as events
    from timeline_order o group by o.service
  ) n`;

/** As many as the bytes of a page allow. */
const page = (wanted: string, order: 'asc' | 'desc') => `
  select e.position::text as cursor, e.tenant, ${EVENT_COLUMNS}, e.bytes_up_to as "bytesUpTo"
  from (
    select e.*, o.position, ${bytesUpTo(`o.position ${order}`)}
    from timeline_order o join timeline e on e.service = o.service and e.seq = o.seq
    where ${wanted}
  ) e
  where ${WITHIN_PAGE}
  order by e.position ${order}`;

/** Everybody's, for the feed that fans them out. $1 after, $2 up to */
export const EVENTS_BETWEEN = page('o.position > $1 and o.position <= $2', 'asc');

const PAGE_FILTERS = `
  and ($2::text is null or e.stream = $2) and ($3::text is null or e.type = $3)
  and ($4::text is null or e.service = $4) and ($5::text is null or e.correlation = $5)`;

/** $1 tenant, $2 stream, $3 type, $4 service, $5 correlation, $6 after, $7 up to, $8 limit; the filters may be null */
export const OLDEST_FIRST = page(
  `o.tenant = $1 and o.position > $6 and o.position <= $7 ${PAGE_FILTERS} order by o.position limit $8`,
  'asc',
);

/** The same, backwards: $6 before (exclusive), $7 down to */
export const NEWEST_FIRST = page(
  `o.tenant = $1 and o.position < $6 and o.position >= $7 ${PAGE_FILTERS} order by o.position desc limit $8`,
  'desc',
);
