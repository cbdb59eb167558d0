/** A removed user's keys open nothing, so they count as revoked. */
const KEY = `
  select k.id, k.user_id, k.active and u.active as active, k.created_at
  from access_directory k
  join access_directory u on u.tenant = k.tenant and u.kind = 'user' and u.id = k.user_id
  where k.tenant = $1 and k.kind = 'key'`;

export const FIND_KEY = `${KEY} and k.id = $2`;

export const LIST_KEYS = `${KEY} and k.active and u.active and ($2::text is null or k.user_id = $2)
  and k.id collate "C" > $3 order by k.id collate "C" limit $4`;
