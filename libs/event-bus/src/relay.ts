import { eventTopic, type ServiceName } from '@mledger/contracts';
import { lockKey } from '@mledger/event-log';
import type { DataSource, EntityManager } from 'typeorm';
import { backoffMs, pause, stopController } from './backoff';
import { toCloudEvent } from './cloud-event';
import { type BusLogger, type EventBus, type LogSource, MessageTooLarge } from './event-bus';
import { errorText } from './failure';
import { MOVE_CHECKPOINT, READ_CHECKPOINT, TRY_LOCK } from './relay.sql';

const EVENTS_MAX = 500;
/** How long a replica that does not relay waits before it looks whether the one that does has died. */
const STANDBY_MS = 1_000;
/** A wake-up that was lost costs at most this. */
const POLL_MS = 1_000;
const CHECKPOINT = 'relay';

export interface RelayOptions {
  readonly service: ServiceName;
  readonly log: LogSource & { readonly dataSource: DataSource };
  readonly bus: EventBus;
  readonly logger: BusLogger;
}

export interface RelayStatus {
  /** `in-process`: the bus reads the log itself. `standby`: another replica relays. */
  readonly state: 'stopped' | 'in-process' | 'standby' | 'relaying' | 'failing';
  /** The last event that the broker has acknowledged, as far as this replica knows. */
  readonly publishedSeq: number;
  /** Events that wait; undefined while another replica relays. */
  readonly lag: number | undefined;
  /** Events published by this process. */
  readonly published: number;
  readonly lastError: Error | undefined;
}

type Turn = 'more' | 'idle' | 'standby';

/**
 * Publishes a service's log, in its public order, to the service's topic. The log is the outbox: what is appended will be
 * published, at least once, and the position moves only after the broker's acknowledgement.
 *
 * Replicas take turns under a lock that lives as long as a turn's transaction, so that another goes on when one dies.
 */
export class Relay {
  private readonly topic: string;
  private stopping = stopController();
  private loop: Promise<void> | undefined;
  private release: (() => Promise<void>) | undefined;
  private state: RelayStatus['state'] = 'stopped';
  private publishedSeq = 0;
  private published = 0;
  private lastError: Error | undefined;
  private eventsMax = EVENTS_MAX;
  private head = 0;
  private wake: (() => void) | undefined;

  constructor(private readonly options: RelayOptions) {
    this.topic = eventTopic(options.service);
  }

  async start(): Promise<void> {
    const { bus, log, service } = this.options;
    this.stopping = stopController();
    if (bus.registerLog) {
      const registration = await bus.registerLog(service, log);
      this.release = () => registration.unregister();
      this.state = 'in-process';
      return;
    }
    this.state = 'standby';
    this.head = await log.store.head();
    const subscription = log.subscribe({
      afterSeq: this.head,
      onEvents: async (events) => this.grow(events.at(-1)!.seq),
    });
    this.release = () => subscription.stop();
    this.loop = this.run();
  }

  /** Returns when the batch in hand is published and its position stored. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake?.();
    await this.loop;
    await this.release?.();
    this.release = undefined;
    this.state = 'stopped';
  }

  status(): RelayStatus {
    const { state, publishedSeq, published, lastError } = this;
    const knows = state === 'relaying' || state === 'failing';
    const lag = state === 'in-process' ? 0 : knows ? Math.max(0, this.head - publishedSeq) : undefined;
    return { state, publishedSeq, lag, published, lastError };
  }

  /** Why this service is not ready: an event that the broker is set up to refuse. An absent broker is no reason: the log keeps. */
  unreadyReason(): string | undefined {
    return this.lastError instanceof MessageTooLarge ? this.lastError.message : undefined;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted;) {
      try {
        const turn = await this.options.log.dataSource.transaction((manager) => this.turn(manager));
        failures = 0;
        this.succeed(turn);
        if (turn !== 'more') await this.rest(turn === 'standby' ? STANDBY_MS : POLL_MS);
      } catch (error) {
        failures += 1;
        this.fail(error, failures);
        await pause(backoffMs(failures), signal);
      }
    }
  }

  /** The lock and the new position belong to one transaction: a replica that lost the lock cannot move the position. */
  private async turn(manager: EntityManager): Promise<Turn> {
    const { service, log, bus } = this.options;
    const [lock] = (await manager.query(TRY_LOCK, [String(lockKey(service, 'relay', this.topic))])) as {
      taken: boolean;
    }[];
    if (!lock?.taken) return 'standby';
    const [checkpoint] = (await manager.query(READ_CHECKPOINT, [CHECKPOINT])) as { seq: number }[];
    const hasRelayed = this.state === 'relaying';
    // The lag is this replica's to tell from here on: a broker that is away keeps it waiting for long.
    this.publishedSeq = checkpoint?.seq ?? 0;
    if (this.state === 'standby') this.state = 'relaying';
    if (!hasRelayed && (await this.topicBeganAnew())) this.publishedSeq = 0;
    const events = await log.store.readLog({ afterSeq: this.publishedSeq, limit: this.eventsMax });
    const last = events.at(-1);
    if (!last) return 'idle';
    await bus.publish(
      this.topic,
      events.map((event) => toCloudEvent(service, event)),
    );
    await manager.query(MOVE_CHECKPOINT, [CHECKPOINT, last.seq]);
    this.publishedSeq = last.seq;
    this.published += events.length;
    return 'more';
  }

  /** Another Kafka, or one that lost its data: read models could never be rebuilt from what is missing there. */
  private async topicBeganAnew(): Promise<boolean> {
    const afterSeq = this.publishedSeq;
    if (afterSeq === 0) return false;
    const ranges = await this.options.bus.ranges(this.topic);
    if (ranges.some(({ high }) => high !== '0')) return false;
    this.options.logger.warn(
      { topic: this.topic, afterSeq },
      'the topic was made anew: publishing the whole log again',
    );
    return true;
  }

  private succeed(turn: Turn): void {
    if (this.state === 'failing' && turn !== 'standby')
      this.options.logger.info({ topic: this.topic }, 'relaying again');
    this.state = turn === 'standby' ? 'standby' : 'relaying';
    this.lastError = undefined;
    this.eventsMax = Math.min(EVENTS_MAX, this.eventsMax * 2);
    this.head = Math.max(this.head, this.publishedSeq);
  }

  private fail(error: unknown, failures: number): void {
    this.state = 'failing';
    this.lastError = error instanceof Error ? error : new Error(String(error));
    // Smaller and smaller, until those before the one that is too large are through and it is alone.
    if (error instanceof MessageTooLarge) this.eventsMax = Math.max(1, Math.floor(this.eventsMax / 4));
    const fields = { topic: this.topic, afterSeq: this.publishedSeq, failures, error: errorText(error) };
    this.options.logger.error(fields, 'cannot publish the log; nothing is lost, trying again');
  }

  private grow(head: number): void {
    this.head = Math.max(this.head, head);
    this.wake?.();
  }

  /** Until the log grows; a replica on standby is not woken by that, the one that relays is. */
  private async rest(ms: number): Promise<void> {
    if (ms === POLL_MS && this.state === 'relaying' && this.head > this.publishedSeq) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.stopping.signal.aborted) this.wake();
    });
    this.wake = undefined;
  }
}
