import type { Pool, PoolClient } from 'pg';

/** Works on a connection of the pool. One that broke is closed, not given back, and its end disturbs nobody else. */
export async function withConnection<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => (broken = error);
  // A connection that is lost while in use tells its query and emits an error, which nobody else would hear.
  client.on('error', onError);
  try {
    return await work(client);
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/** All of the work, or none of it. */
export async function inTransaction<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    // A connection that broke cannot roll back, and need not.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}
