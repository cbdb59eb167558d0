const TENANT = `select id, active, set_up, created_at from access_directory where kind = 'tenant'`;

export const FIND_TENANT = `${TENANT} and tenant = $1 and id = $1`;

export const LIST_TENANTS = `${TENANT} and id collate "C" > $1 order by id collate "C" limit $2`;
