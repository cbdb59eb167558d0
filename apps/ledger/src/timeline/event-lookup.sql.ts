import { EVENT_COLUMNS } from './timeline.sql';

const KNOWN = `
  select o.position::text as cursor, ${EVENT_COLUMNS}
  from timeline e left join timeline_order o on o.service = e.service and o.seq = e.seq
  where e.tenant = $1 and ($2::text is null or e.time <= $2) and ($3::bigint is null or o.position <= $3)`;

/** $1 tenant, $2 time or null, $3 position or null, $4 ids */
export const BY_IDS = `${KNOWN} and e.id = any($4::uuid[]) order by e.time, e.service, e.seq`;

/** $4 stream, $5 types or null, $6 limit */
export const OF_STREAM = `
  ${KNOWN} and e.stream = $4 and ($5::text[] is null or e.type = any($5)) order by e.version limit $6`;

/** The newest of a stream, newest first. $4 stream, $5 types, $6 limit */
export const NEWEST_OF_STREAM = `
  ${KNOWN} and e.stream = $4 and e.type = any($5::text[]) order by e.version desc limit $6`;

/**
 * The time that a position stands for: the latest up to it, of which those of other services may be a little before.
 * $1 position
 */
export const TIME_OF_POSITION = `
  select max(t.time) as time
  from (select service, seq from timeline_order where position <= $1 order by position desc limit 1000) o
  join timeline t on t.service = o.service and t.seq = o.seq`;
