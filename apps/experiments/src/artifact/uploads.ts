import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { EventLog } from '@mledger/event-log';
import type { ObjectStore } from '@mledger/object-store';
import { Clock, Logger, OBJECT_STORE } from '@mledger/service-kit';
import type { EntityManager } from 'typeorm';
import { refused } from '../refused';

const HOUR_MS = 60 * 60 * 1000;
const SWEEP_EVERY_MS = HOUR_MS;
/** No upload takes longer; what is older was broken off by a crash. */
export const UPLOAD_MS_MAX = 24 * HOUR_MS;

/**
 * Objects that no event names yet. A row is there before the first byte and goes in the transaction that appends the event,
 * so a row that stays means bytes that nobody will ever ask for: a crash came between.
 */
@Injectable()
export class Uploads implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly log: EventLog,
    @Inject(OBJECT_STORE) private readonly objects: ObjectStore,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    const sweep = () =>
      void this.sweep().catch((error: unknown) => this.logger.warn({ error }, 'sweeping uploads failed'));
    sweep();
    this.timer = setInterval(sweep, SWEEP_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  async begin(objectKey: string): Promise<void> {
    await this.log.pool.query('insert into uploads (object_key, begun_at) values ($1, $2)', [
      objectKey,
      this.clock.now(),
    ]);
  }

  /** Within the append's transaction. @throws CommandRefused when the upload took so long that its bytes were swept away */
  async complete(objectKey: string, manager: EntityManager): Promise<void> {
    const [, removed] = await manager.query<[unknown[], number]>('delete from uploads where object_key = $1', [
      objectKey,
    ]);
    if (removed === 0) throw refused('conflict', 'UPLOAD_EXPIRED', 'The upload took longer than a day. Try again.');
  }

  /** Removes what was stored, and then the trace of it. */
  async discard(objectKey: string): Promise<void> {
    await this.objects.delete(objectKey);
    await this.log.pool.query('delete from uploads where object_key = $1', [objectKey]);
  }

  /** Discards what crashes left behind. */
  async sweep(): Promise<void> {
    const before = new Date(this.clock.nowMs() - UPLOAD_MS_MAX).toISOString();
    const { rows } = await this.log.pool.query<{ object_key: string }>(
      'select object_key from uploads where begun_at < $1',
      [before],
    );
    for (const { object_key: objectKey } of rows) await this.discard(objectKey);
  }
}
