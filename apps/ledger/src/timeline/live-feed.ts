import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Lifecycle, Logger } from '@mledger/service-kit';
import type { LedgerEvent } from './ledger-event';
import { TimelineOrder } from './timeline-order';
import { TimelineQueries, type TenantEvent } from './timeline-queries';

/** How often the timeline is looked at while somebody follows it, and while nobody does. */
const FOLLOWED_LOOK_MS = 200;
const IDLE_LOOK_MS = 1_000;
const READ_POSITIONS_MAX = 500;
export const FOLLOWERS_MAX = 200;

export interface Follower {
  readonly tenant: string;
  /** Where to begin: it gets what stands after this position. */
  readonly after: number;
  /** Returns false when no more may be sent for now; then the follower is let go, and comes back with its last cursor. */
  send(events: readonly LedgerEvent[]): boolean;
  end(): void;
}

interface Following extends Follower {
  position: number;
  /** Whether it has reached the feed; before that it reads by itself. */
  live: boolean;
}

/**
 * Numbers what arrives, and hands it to whoever follows: one reader a process, however many followers. A follower that begins
 * in the past reads up to the feed's position by itself and then joins it, at one and the same position.
 */
@Injectable()
export class LiveFeed implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly followers = new Set<Following>();
  private position = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly order: TimelineOrder,
    private readonly queries: TimelineQueries,
    private readonly logger: Logger,
    private readonly lifecycle: Lifecycle,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.position = await this.order.head();
    this.lifecycle.signal.addEventListener('abort', () => this.endAll(), { once: true });
    this.lookLater();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.turn;
    this.endAll();
  }

  get isFull(): boolean {
    return this.followers.size >= FOLLOWERS_MAX;
  }

  /** Follows until the returned function is called, or `end` was. */
  follow(follower: Follower): () => void {
    const following: Following = { ...follower, position: follower.after, live: false };
    this.followers.add(following);
    void this.catchUp(following);
    if (this.timer !== undefined) this.lookLater();
    return () => void this.followers.delete(following);
  }

  /** Reads on until there is nothing between the follower and the feed; then, in the same tick, it is live. */
  private async catchUp(following: Following): Promise<void> {
    try {
      while (this.followers.has(following)) {
        const upTo = this.position;
        if (following.position >= upTo) {
          following.live = true;
          return;
        }
        const range = { after: following.position, upTo, limit: READ_POSITIONS_MAX };
        const { events, more } = await this.queries.between(following.tenant, range);
        this.deliver(following, events, more ? Number(events.at(-1)!.cursor) : upTo);
      }
    } catch (error) {
      this.logger.error({ error }, 'a follower of the timeline could not be served');
      this.end(following);
    }
  }

  private deliver(following: Following, events: readonly LedgerEvent[], position: number): void {
    if (!this.followers.has(following)) return;
    // One that resumes may be ahead of this replica's feed.
    const news = events.filter(({ cursor }) => Number(cursor) > following.position);
    following.position = Math.max(following.position, position);
    if (news.length > 0 && !following.send(news)) this.end(following);
  }

  private lookLater(): void {
    clearTimeout(this.timer);
    if (this.stopped) return;
    const look = () => {
      this.timer = undefined;
      this.turn = this.look()
        .catch((error: unknown) => this.logger.error({ error }, 'the timeline could not be carried on; tried again'))
        .then(() => this.lookLater());
    };
    this.timer = setTimeout(look, this.followers.size > 0 ? FOLLOWED_LOOK_MS : IDLE_LOOK_MS);
  }

  private async look(): Promise<void> {
    const head = await this.order.advance();
    while (this.position < head) {
      if (this.followers.size === 0) {
        this.position = head;
        return;
      }
      const range = { after: this.position, upTo: Math.min(head, this.position + READ_POSITIONS_MAX) };
      const { events, upTo } = await this.queries.ofAllTenants(range);
      // No wait between here and the last delivery, or somebody could join in between and get some of it twice or not.
      this.position = upTo;
      for (const following of [...this.followers].filter(({ live }) => live)) {
        const own = events.filter(({ tenant }) => tenant === following.tenant).map(withoutTenant);
        this.deliver(following, own, upTo);
      }
    }
  }

  private end(following: Following): void {
    if (this.followers.delete(following)) following.end();
  }

  private endAll(): void {
    for (const following of [...this.followers]) this.end(following);
  }
}

function withoutTenant({ tenant: _tenant, ...event }: TenantEvent): LedgerEvent {
  return event;
}
