import type { ServiceName } from '@mledger/contracts';
import type { DataSource, EntityManager } from 'typeorm';
import { backoffMs, pause } from '../backoff';
import type { BusLogger, MessageBatch, ReceivedMessage, StartPlace } from '../event-bus';
import { asError, errorText, failureKind } from '../failure';
import type { Handler } from './handler';
import { type Incoming, readEvent } from './incoming';
import { park } from './parked-events';
import { followVersions, lockPlace, movePosition, moveVersions, readPosition, VersionJump } from './position';
import { FORGET_POSITION, START_FROM } from './positions.sql';
import type { Turns } from './turns';

/** A message that fails so often, for reasons of its own, is parked. */
export const TRIES_MAX = 5;
/** Events that a handler does not want move its position only so often: reading them again costs next to nothing. */
const UNWANTED_MOVE_MS_MIN = 5_000;

/** Longer than the longest pause between two tries. */
const WAITING_AGE_MS_MAX = 60_000;

export interface Waiting {
  /** `<topic>/<partition>` */
  readonly place: string;
  readonly error: Error;
  readonly since: Date;
  readonly triedAt: Date;
}

export interface DeliveryCounters {
  /** Messages that were handled by this process: applied, not skipped. */
  handled: number;
  parked: number;
  /** Attempts that failed. */
  failed: number;
}

interface Poison {
  readonly error: unknown;
  readonly tries: number;
}

export interface DeliveryOptions {
  readonly service: ServiceName;
  readonly handler: Handler;
  readonly dataSource: DataSource;
  readonly turns: Turns;
  readonly logger: BusLogger;
  readonly signal: AbortSignal;
}

/** Hands the messages of a subscription to one handler, each in the transaction that moves the handler's position. */
export class Delivery {
  readonly counters: DeliveryCounters = { handled: 0, parked: 0, failed: 0 };
  private readonly waits = new Map<string, Waiting>();
  private readonly movedAt = new Map<string, number>();
  private readonly id: { service: ServiceName; consumer: string };

  constructor(private readonly options: DeliveryOptions) {
    this.id = { service: options.service, consumer: options.handler.id };
  }

  /** The partitions that wait before a message that cannot be handled. */
  waiting(): Waiting[] {
    // One that another replica has taken over is not tried again here, so it is not heard of again.
    return [...this.waits.values()].filter(({ triedAt }) => Date.now() - triedAt.getTime() < WAITING_AGE_MS_MAX);
  }

  /** What the bus calls; rejects when the partition has to wait. */
  async handle(batch: MessageBatch): Promise<void> {
    const place = `${batch.topic}/${batch.partition}`;
    try {
      for (const items of this.chunks(batch)) {
        // What is not begun comes again at the next start; so stopping takes no longer than one transaction.
        if (this.options.signal.aborted) throw new Error('this service is stopping');
        await this.deliver(batch, items);
      }
      this.waits.delete(place);
    } catch (error) {
      this.noteWaiting(place, error);
      throw error;
    }
  }

  /** Where the handler stands; undefined: from the oldest. */
  async startFrom({ topic, partition, high, highNow, remembered }: StartPlace): Promise<string | undefined> {
    const { handler, dataSource, logger } = this.options;
    const key = [handler.id, topic, partition];
    const [row] = (await dataSource.query(START_FROM, key)) as { next_offset: number }[];
    if (!row) return undefined;
    const stored = BigInt(row.next_offset);
    const beyond = stored > BigInt(high) && stored > BigInt(await highNow());
    // Events that were handled are told by their seq, whatever their offsets; so to begin anew is safe, and cheap.
    const anew = beyond || (!remembered && handler.carries === 'events');
    if (!anew) return String(row.next_offset);
    if (beyond)
      logger.warn({ consumer: handler.name, topic, partition, stored: row.next_offset, high }, 'a topic begins anew');
    if (handler.carries === 'payloads') await dataSource.query(FORGET_POSITION, key);
    return undefined;
  }

  /** Cuts a batch into what goes into one transaction each; stops before an event of an unknown schema. */
  private *chunks({ messages }: MessageBatch): Generator<Incoming[]> {
    const { handler } = this.options;
    let chunk: Incoming[] = [];
    let wanted = 0;
    for (const message of messages) {
      let item: Incoming;
      try {
        item = this.read(message);
      } catch (error) {
        if (chunk.length > 0) yield chunk;
        throw error;
      }
      if (this.wants(item)) {
        if (wanted === handler.atOnceMax) {
          yield chunk;
          chunk = [];
          wanted = 0;
        }
        wanted += 1;
      }
      chunk.push(item);
    }
    yield chunk;
  }

  private read(message: ReceivedMessage): Incoming {
    if (this.options.handler.carries === 'payloads') return { message };
    return readEvent(this.options.handler, message);
  }

  private wants(item: Incoming): boolean {
    const { handler } = this.options;
    return item.event === undefined || handler.everyType || handler.types.has(item.event.type);
  }

  private async deliver(batch: MessageBatch, items: readonly Incoming[]): Promise<void> {
    const wanted = items.filter((item) => this.wants(item)).length;
    if (wanted === 0 && !this.isTimeToMove(batch)) return;
    for (let tries = 1; ; tries += 1) {
      try {
        await this.commit(batch, items);
        return;
      } catch (error) {
        this.counters.failed += 1;
        if (this.mustWait(error, tries)) throw error;
        if (wanted > 1 && failureKind(error) === 'permanent') return this.deliverSingly(batch, items);
        if (tries >= TRIES_MAX) return this.commit(batch, items, { error, tries });
        if (!(await pause(backoffMs(tries), this.options.signal))) throw error;
      }
    }
  }

  /** One of them is poison; alone, each shows whether it is the one. */
  private async deliverSingly(batch: MessageBatch, items: readonly Incoming[]): Promise<void> {
    for (const item of items) await this.deliver(batch, [item]);
  }

  /** Whether only the bus may bring it again, so that nothing of this partition passes it by. */
  private mustWait(error: unknown, tries: number): boolean {
    if (error instanceof VersionJump) return true;
    const kind = failureKind(error);
    if (kind === 'conflict') return tries >= TRIES_MAX;
    return kind === 'transient' || this.options.handler.neverPark;
  }

  private async commit(batch: MessageBatch, items: readonly Incoming[], poison?: Poison): Promise<void> {
    const { dataSource, turns } = this.options;
    const done = await turns.take(() => dataSource.transaction((manager) => this.work(manager, batch, items, poison)));
    this.counters.handled += done.handled;
    this.counters.parked += done.parked;
    this.movedAt.set(`${batch.topic}/${batch.partition}`, Date.now());
  }

  /** The handler's work comes before the first write of ours: an append that joins this transaction relies on that. */
  private async work(
    manager: EntityManager,
    batch: MessageBatch,
    items: readonly Incoming[],
    poison: Poison | undefined,
  ): Promise<{ handled: number; parked: number }> {
    const { handler } = this.options;
    await lockPlace(manager, this.id, batch);
    await handler.enter?.(manager);
    const position = await readPosition(manager, handler.id, batch, items);
    const fresh = items.filter((item) => position.isFresh(item));
    // Their offset is all that tells payloads: a late replica's old batch must not move it back.
    if (handler.carries === 'payloads' && fresh.length === 0) return { handled: 0, parked: 0 };
    const followed = handler.everyType && handler.carries === 'events';
    const versions = followed ? await followVersions(manager, handler.id, batch.topic, fresh) : undefined;
    const wanted = fresh.filter((item) => this.wants(item));
    const behind = wanted.filter(({ event }) => event && position.parkedStreams.has(event.stream));
    const ready = wanted.filter((item) => !behind.includes(item));
    if (poison) await this.park(manager, ready, poison.tries, errorText(poison.error));
    else await this.apply(manager, ready);
    await this.park(manager, behind, 0, 'waits behind an earlier event of its stream');
    if (versions) await moveVersions(manager, handler.id, batch.topic, versions);
    await movePosition(manager, handler.id, batch, items);
    return { handled: poison ? 0 : ready.length, parked: behind.length + (poison ? ready.length : 0) };
  }

  private async apply(manager: EntityManager, items: readonly Incoming[]): Promise<void> {
    const malformed = items.find((item) => item.malformed);
    if (malformed) throw malformed.malformed;
    if (items.length > 0) await this.options.handler.apply(items, manager);
  }

  private async park(manager: EntityManager, items: readonly Incoming[], tries: number, reason: string): Promise<void> {
    const { handler, logger } = this.options;
    for (const item of items) {
      await park(manager, handler.id, item, { tries, reason });
      const { topic, partition, offset } = item.message;
      logger.error(
        { consumer: handler.name, topic, partition, offset, event: item.event?.id, tries, reason },
        'parked',
      );
    }
  }

  private isTimeToMove({ topic, partition }: MessageBatch): boolean {
    if (this.options.handler.movesAlways) return true;
    return Date.now() - (this.movedAt.get(`${topic}/${partition}`) ?? 0) >= UNWANTED_MOVE_MS_MIN;
  }

  private noteWaiting(place: string, error: unknown): void {
    const { handler, logger, signal } = this.options;
    if (signal.aborted) return;
    const known = this.waits.get(place);
    const now = new Date();
    this.waits.set(place, { place, error: asError(error), since: known?.since ?? now, triedAt: now });
    if (known) return;
    const fields = { consumer: handler.name, place, error: errorText(error) };
    if (failureKind(error) === 'permanent') logger.error(fields, 'a consumer waits');
    else logger.warn(fields, 'a consumer waits');
  }
}
