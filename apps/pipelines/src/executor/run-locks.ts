import type { PoolClient } from 'pg';
import { EventLog, lockKey } from '@mledger/event-log';

/**
 * Who drives a run: a lock of the database session, so that it ends with this process however that dies, and another
 * replica can go on. Needs a connection of its own that no pooler shares.
 */
export class RunLocks {
  private connection: Promise<PoolClient> | undefined;
  private readonly held = new Set<string>();

  /** @param onLost told when the session ended: whoever drove a run here must stop at once, somebody else may drive it now */
  constructor(
    private readonly log: EventLog,
    private readonly onLost: () => void,
  ) {}

  /** @returns false when another replica drives the run */
  async tryAcquire(pipelineRunId: string): Promise<boolean> {
    const client = await this.connect();
    const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1::bigint) as locked', [
      keyOf(pipelineRunId),
    ]);
    if (rows[0]?.locked !== true) return false;
    this.held.add(pipelineRunId);
    return true;
  }

  async release(pipelineRunId: string): Promise<void> {
    if (!this.held.delete(pipelineRunId) || this.connection === undefined) return;
    const client = await this.connection;
    await client.query('select pg_advisory_unlock($1::bigint)', [keyOf(pipelineRunId)]);
  }

  /** Gives every lock back, with the connection: destroyed, because a lock that is left must not lie on it for others. */
  async close(): Promise<void> {
    const { connection } = this;
    this.connection = undefined;
    this.held.clear();
    await connection?.then((client) => client.release(true)).catch(() => undefined);
  }

  private connect(): Promise<PoolClient> {
    this.connection ??= this.log.pool.connect().then((client) => {
      let gone = false;
      const lost = () => {
        if (gone) return;
        gone = true;
        void this.close();
        this.onLost();
      };
      // Both may come, in either order and more than once; an error that nobody hears would end the process.
      client.on('error', lost);
      client.on('end', lost);
      return client;
    });
    // What failed is tried again by the next caller.
    this.connection.catch(() => (this.connection = undefined));
    return this.connection;
  }
}

function keyOf(pipelineRunId: string): string {
  return String(lockKey('pipelines', 'run', pipelineRunId));
}
