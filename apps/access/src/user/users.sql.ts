const USER = `
  select p.user_id, p.name, d.roles, d.created_at
  from user_profiles p
  join access_directory d on d.tenant = p.tenant and d.kind = 'user' and d.id = p.user_id
  where d.active and p.tenant = $1`;

export const FIND_USER = `${USER} and p.user_id = $2`;

export const FIND_USER_BY_NAME = `${USER} and p.name = $2`;

export const LIST_USERS = `${USER} and p.name collate "C" > $2 order by p.name collate "C" limit $3`;
