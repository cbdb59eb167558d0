import type { Client, Pool, PoolClient } from 'pg';

/**
 * A connection that breaks tells the query that it runs, or the next one. It also emits an error, and one that nobody hears ends the
 * process: between two queries, or before the first, when Postgres stops in the moment that it lets somebody in.
 */
export function outliveLoss(client: Pick<Client, 'on'>): void {
  client.on('error', () => undefined);
}

/** Works on a connection of the pool, which closes one that broke. */
export async function withConnection<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await work(client);
  } finally {
    client.release();
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
