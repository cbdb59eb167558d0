/** Again after a redelivery it is the same row, so it is not parked twice. */
export const PARK = `
  insert into parked_events
    (tenant, consumer, topic, partition, "offset", seq, stream, type, reason, tries, key, headers, value)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
  on conflict (tenant, consumer, topic, partition, "offset") do nothing`;

const COLUMNS = `id, tenant, consumer, topic, partition, "offset", seq, stream, type, reason, tries,
  to_char(parked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "parkedAt"`;

export const LIST = `
  select ${COLUMNS} from parked_events where id > $1 and ($2::text is null or tenant = $2) order by id limit $3`;

export const COUNT = `select consumer, count(*)::int as count from parked_events group by consumer`;

export const FIND = `select ${COLUMNS}, key, headers, value from parked_events where id = $1`;

/** The oldest of a stream: nothing of it is replayed before that. */
export const FIRST_OF_STREAM = `
  select ${COLUMNS}, key, headers, value from parked_events
  where consumer = $1 and topic = $2 and stream = $3 order by seq limit 1`;

export const REMOVE = `delete from parked_events where id = $1`;

export const FAILED_AGAIN = `update parked_events set reason = $2, tries = tries + 1 where id = $1`;
