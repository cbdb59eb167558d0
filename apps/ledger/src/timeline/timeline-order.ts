import { Injectable } from '@nestjs/common';
import { SERVICE_NAMES } from '@mledger/contracts';
import { lockKey } from '@mledger/event-log';
import { DataSource } from 'typeorm';
import { HEAD, IS_WHOLE, LOOK, NUMBER, TRY_LOCK } from './timeline.sql';

/** Events of one service that get their positions in one transaction. */
export const NUMBERED_AT_ONCE_MAX = 1_000;

const LOCK_KEY = String(lockKey('ledger', 'timeline', 'order'));

/**
 * The one order of all services' events, as this ledger came to know them: 1, 2, 3 … without gaps, given once and kept for
 * ever. An event gets its place only after all before it in its service, so that whoever has read up to a position has
 * missed nothing, however late a transaction commits or a partition lags: docs/adr/0065.
 */
@Injectable()
export class TimelineOrder {
  private whole = false;

  constructor(private readonly dataSource: DataSource) {}

  /** Gives places to all events that can have one; leaves it to another replica that is at it. Returns the head. */
  async advance(): Promise<number> {
    for (;;) {
      const [at] = (await this.dataSource.query(LOOK, [SERVICE_NAMES])) as { head: number; waiting: boolean }[];
      if (!at!.waiting || !(await this.number())) return at!.head;
    }
  }

  /** False when another replica is at it. */
  private number(): Promise<boolean> {
    return this.dataSource.transaction(async (manager) => {
      const [lock] = (await manager.query(TRY_LOCK, [LOCK_KEY])) as { held: boolean }[];
      if (lock!.held) await manager.query(NUMBER, [SERVICE_NAMES, NUMBERED_AT_ONCE_MAX]);
      return lock!.held;
    });
  }

  /** The greatest position given so far; all up to it are visible. */
  async head(): Promise<number> {
    const [row] = (await this.dataSource.query(HEAD)) as { head: number }[];
    return row!.head;
  }

  /** Why the timeline cannot be read now, or undefined: after a change of its columns it is filled again. */
  async unreadyReason(): Promise<string | undefined> {
    if (!this.whole) {
      const [row] = (await this.dataSource.query(IS_WHOLE)) as { whole: boolean }[];
      this.whole = row!.whole;
    }
    return this.whole ? undefined : 'the timeline is being filled again after a change of its form: try again later';
  }
}
