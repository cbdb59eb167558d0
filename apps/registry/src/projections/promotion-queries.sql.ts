const PROMOTION_COLUMNS = `
  promotion_id as "promotionId", models.name as model, version, alias, status, reason,
  requested_by as "requestedBy", requested_at as "requestedAt", approvals_needed as "approvalsNeeded", approvals, gates,
  closed_by as "closedBy", closed_at as "closedAt", closing_reason as "closingReason", correlation`;

/** $1 tenant, $2 promotion id */
export const PROMOTION = `
  select ${PROMOTION_COLUMNS} from promotions left join models using (tenant, model_id)
  where tenant = $1 and promotion_id = $2`;

/** The youngest first. $1 tenant, $2 model id, $3 status or null, $4 id to go on after or null, $5 limit */
export const PROMOTIONS = `
  select ${PROMOTION_COLUMNS} from promotions left join models using (tenant, model_id)
  where tenant = $1 and model_id = $2 and ($3::text is null or status = $3) and ($4::text is null or promotion_id < $4)
  order by promotion_id desc limit $5`;

const TENURE_COLUMNS = `
  stream_version as "streamVersion", version, from_version as "fromVersion", since, actor as by, reason,
  promotion_id as "promotionId", event_id as "eventId", cause, correlation`;

/** Who held an alias at a position of the model's stream. $1 tenant, $2 model id, $3 alias, $4 stream version */
export const TENURE = `
  select ${TENURE_COLUMNS} from alias_history
  where tenant = $1 and model_id = $2 and alias = $3 and stream_version <= $4
  order by stream_version desc limit 1`;

/** The youngest first. $1 tenant, $2 model id, $3 alias, $4 stream version to go on before, $5 limit */
export const TENURES = `
  select * from (
    select ${TENURE_COLUMNS}, lead(since) over (order by stream_version) as until from alias_history
    where tenant = $1 and model_id = $2 and alias = $3
  ) tenures where "streamVersion" < $4 order by "streamVersion" desc limit $5`;
