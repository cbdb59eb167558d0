import { BackgroundLoop } from '../background-loop';
import type { LogCore } from '../log-core';
import { isoTime } from '../recorded';
import { signCheckpoint, type SignedCheckpoint, type Signer } from './signer';

const INTERVAL_MS = 60_000;

export interface CheckpointOptions {
  signer: Signer;
  /** Publishes a checkpoint where the database's administrator has no say; called until it succeeds, at least once for each. */
  onCheckpoint?: (checkpoint: SignedCheckpoint) => Promise<void>;
}

interface StoredCheckpoint {
  statement: SignedCheckpoint;
}

/** Signs the head of the public order, once a minute when there is news, and publishes what it signed. */
export class Checkpoints {
  private readonly loop: BackgroundLoop;

  constructor(
    private readonly core: LogCore,
    private readonly options: CheckpointOptions,
  ) {
    this.loop = new BackgroundLoop({
      turn: async () => {
        await this.take();
        return 'idle';
      },
      onError: (error) => core.onError(error, 'checkpoint'),
      pollMs: INTERVAL_MS,
    });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Signs and publishes the head now; the latest checkpoint when nothing was numbered since; undefined for an empty log. */
  async take(): Promise<SignedCheckpoint | undefined> {
    const { rows } = await this.core.background.query<{ seq: number; chain: Buffer; at: string }>(
      `select s.seq, s.chain, date_trunc('milliseconds', clock_timestamp())::text as at from sequencer s
        where s.seq > coalesce((select max(c.seq) from signed_checkpoints c), 0)`,
    );
    const [head] = rows;
    if (head) {
      const { seq, chain, at } = head;
      const statement = await signCheckpoint(this.options.signer, {
        service: this.core.service,
        seq,
        chain: chain.toString('hex'),
        at: isoTime(at),
      });
      // Another replica may have signed the same head.
      await this.core.background.query(
        'insert into signed_checkpoints (seq, statement) values ($1, $2) on conflict do nothing',
        [seq, JSON.stringify(statement)],
      );
    }
    await this.publish();
    return latestCheckpoint(this.core);
  }

  private async publish(): Promise<void> {
    const { onCheckpoint } = this.options;
    if (!onCheckpoint) return;
    const { rows } = await this.core.background.query<StoredCheckpoint>(
      'select statement from signed_checkpoints where not published order by seq',
    );
    for (const { statement } of rows) {
      await onCheckpoint(statement);
      await this.core.background.query('update signed_checkpoints set published = true where seq = $1', [
        statement.seq,
      ]);
    }
  }
}

export async function latestCheckpoint(core: LogCore): Promise<SignedCheckpoint | undefined> {
  const { rows } = await core.background.query<StoredCheckpoint>(
    'select statement from signed_checkpoints order by seq desc limit 1',
  );
  return rows[0]?.statement;
}
