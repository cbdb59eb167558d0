import { bytesUpTo, WITHIN_PAGE } from '../page';

/** What an event's hash covers, as it is stored. */
export type HashedRow = [
  stream: string,
  version: number,
  type: string,
  schema: number,
  data: string,
  meta: string,
  at: string,
];

const HASHED_COLUMNS = 'e.stream, e.version, e.type, e.schema, e.data::text, e.meta::text, e.at::text';

/** A stretch of the public order, each event beside the one before it in its stream. Missing parts are null. */
export const ORDER_PAGE = `
select e.seq, e.chain, e.bytes_up_to, e.hash, p.hash as previous_hash, po.seq as previous_seq, ${HASHED_COLUMNS}
  from (select o.seq, o.chain, e.*, ${bytesUpTo('o.seq')}
          from log_order o left join events e on e.position = o.position
         where o.seq > $1 and o.seq <= $2) e
  left join events p on p.stream = e.stream and p.version = e.version - 1
  left join log_order po on po.position = p.position
 where coalesce(${WITHIN_PAGE}, true)
 order by e.seq`;

/** Committed events that the sequencer has not come to yet. */
export const TAIL_PAGE = `
select e.position, e.bytes_up_to, e.hash, p.hash as previous_hash, ${HASHED_COLUMNS}
  from (select e.*, ${bytesUpTo('e.position')}
          from sequencer s join events e on (e.xid, e.position) > (s.xid, s.position)
         where e.position > $1
         order by e.position limit $2) e
  left join events p on p.stream = e.stream and p.version = e.version - 1
 where ${WITHIN_PAGE}
 order by e.position`;

/** An event that was slipped in where the sequencer had passed already, so that nobody was told of it. */
export const UNNUMBERED = `
select e.stream, e.version from sequencer s, events e
 where (e.xid, e.position) <= (s.xid, s.position) and not exists (select from log_order o where o.position = e.position)
 order by e.position limit 1`;

/** A stream whose last event is not the one that its head names. */
export const STREAM_HEADS = `
select s.id as stream, s.version from streams s
  left join events e on e.stream = s.id and e.version = s.version
  left join events n on n.stream = s.id and n.version = s.version + 1
 where e.hash is distinct from s.head_hash or n.stream is not null
 order by s.id limit 1`;

/** A stream that has events and no head. */
export const HEADLESS = `
select e.stream, e.version from events e
 where e.version = 1 and not exists (select from streams s where s.id = e.stream) order by e.stream limit 1`;

/** What is gone can still be told by what follows it in its stream, or by the stream's head. */
export const NAME_THE_GONE = `
select e.stream, e.version - 1 as version from events e
 where e.version > 1 and not exists (select from events p where p.stream = e.stream and p.version = e.version - 1)
union all
select s.id, s.version from streams s
 where not exists (select from events e where e.stream = s.id and e.version = s.version)
limit 1`;
