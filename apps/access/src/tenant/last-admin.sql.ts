/** Whether somebody who holds the admin's role has a key that is valid. $1 tenant */
export const ADMIN_WITH_KEY = `
  select exists (
    select from access_directory u
    join access_directory k on k.tenant = u.tenant and k.kind = 'key' and k.user_id = u.id and k.active
    where u.tenant = $1 and u.kind = 'user' and u.active and 'admin' = any (string_to_array(u.roles, ','))
  ) as found`;
