const EDGES = `
  select e.from_node as "from", e.to_node as "to", e.kind, row_to_json(v.*) as event
  from lineage_edges e
  cross join lateral (
    select t.id, t.service, t.seq, t.type, t.stream, t.version, t.time, t.actor
    from timeline t left join timeline_order o on o.service = t.service and o.seq = t.seq
    where t.tenant = e.tenant and t.id = e.event_id
      and ($2::text is null or t.time <= $2) and ($3::bigint is null or o.position <= $3)
  ) v
  where e.tenant = $1`;
const ORDER = 'order by e.time, e.to_node, e.from_node, e.kind, e.event_id limit $5';

/** What led to these nodes. $1 tenant, $2 time or null, $3 position or null, $4 nodes, $5 limit */
export const EDGES_TO = `${EDGES} and e.to_node = any($4::text[]) and e.from_node <> '' ${ORDER}`;

/** What came of these nodes. */
export const EDGES_FROM = `${EDGES} and e.from_node = any($4::text[]) ${ORDER}`;

/** Event ids of edges of some kinds out of a node, from a time on, the oldest first. $1 tenant, $2 node, $3 kinds, $4 time, $5 limit */
export const EVENTS_OUT_OF = `
  select event_id as "eventId" from lineage_edges
  where tenant = $1 and from_node = $2 and kind = any($3::text[]) and time >= $4
  order by time limit $5`;

/** What began these nodes. $1 tenant, $2 time or null, $3 position or null, $4 nodes, $5 limit */
export const BEGINNINGS = `${EDGES} and e.to_node = any($4::text[]) and e.from_node = '' ${ORDER}`;
