export const STORE_PREDICTIONS = `
  insert into predictions (
    tenant, request_id, client_request_id, endpoint_id, endpoint, revision, model_id, model, model_version, time, status,
    actor, correlation, digest, payload)
  select * from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[], $9::int[], $10::text[],
    $11::int[], $12::text[], $13::text[], $14::bytea[], $15::text[])
  on conflict do nothing`;

const PREDICTION = `select request_id as "requestId", digest, payload from predictions`;

/** $1 tenant, $2 request id */
export const PREDICTION_BY_ID = `${PREDICTION} where tenant = $1 and request_id = $2`;

/** By what its client called it, which may be said of several. $1 tenant, $2 the client's id, $3 limit */
export const PREDICTIONS_OF_CLIENT = `
  ${PREDICTION} where tenant = $1 and client_request_id = $2 order by request_id desc limit $3`;

/** $1 tenant, $2 request ids */
export const PREDICTIONS_BY_IDS = `${PREDICTION} where tenant = $1 and request_id = any($2)`;

/** Seals that may hold a request: those whose range it is in. $1 tenant, $2 endpoint id, $3 revision, $4 request id */
export const SEALS_AROUND = `
  select event_id as "eventId" from prediction_seals
  where tenant = $1 and endpoint_id = $2 and revision = $3 and to_request >= $4 and from_request <= $4
  order by to_request limit 20`;

/** $1 older than, $2 rows at most */
export const FORGET_PREDICTIONS = `
  delete from predictions where (tenant, request_id) in (
    select tenant, request_id from predictions where time < $1 order by time limit $2)`;
