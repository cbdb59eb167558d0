import type { ServiceName } from '@mledger/contracts';
import type { DataSource } from 'typeorm';
import type { BusLogger, BusSubscription, EventBus, SubscriptionStatus } from '../event-bus';
import { errorText } from '../failure';
import { Delivery, type DeliveryCounters, type Waiting } from './delivery';
import {
  type Handler,
  payloadHandler,
  type PayloadHandler,
  type Reaction,
  reactionHandler,
  type ReadModel,
  readModelHandler,
} from './handler';
import { ParkedEvents } from './parked-events';
import { Turns } from './turns';

/** Transactions of consumers at once, in a process; the rest of the pool is for requests. */
const TRANSACTIONS_MAX = 3;
/** So long may the connection to the bus be lost before a handler that never parks counts as unable to go on. */
const DISCONNECTED_MS_MAX = 30_000;

export interface ConsumerOptions {
  readonly service: ServiceName;
  readonly log: { readonly dataSource: DataSource };
  readonly bus: EventBus;
  readonly logger: BusLogger;
  readonly reactions?: readonly Reaction[];
  readonly readModels?: readonly ReadModel[];
  readonly payloadHandlers?: readonly PayloadHandler[];
  readonly transactionsMax?: number;
}

export interface HandlerStatus extends DeliveryCounters {
  readonly consumer: string;
  readonly state: SubscriptionStatus['state'];
  /** Messages not yet handled, of the partitions that this replica holds; undefined until known. */
  readonly lag: number | undefined;
  /** Partitions that wait before a message, and why. */
  readonly waiting: readonly Waiting[];
}

interface Running {
  readonly handler: Handler;
  readonly delivery: Delivery;
  readonly subscription: BusSubscription;
  caughtUp: boolean;
}

/** What a service does with the events of other services and of its own: each handler at its own pace. */
export class Consumer {
  readonly parked: ParkedEvents;
  private readonly handlers: ReadonlyMap<string, Handler>;
  private readonly turns: Turns;
  private readonly running = new Map<string, Running>();
  private stopping = new AbortController();

  constructor(private readonly options: ConsumerOptions) {
    const handlers = [
      ...(options.reactions ?? []).map(reactionHandler),
      ...(options.readModels ?? []).map(readModelHandler),
      ...(options.payloadHandlers ?? []).map(payloadHandler),
    ];
    this.handlers = new Map(handlers.map((handler) => [handler.name, handler]));
    if (this.handlers.size < handlers.length) throw new Error('two consumers of a service have the same name');
    this.turns = new Turns(options.transactionsMax ?? TRANSACTIONS_MAX);
    this.parked = new ParkedEvents(options.service, options.log.dataSource, this.handlers);
  }

  async start(): Promise<void> {
    this.stopping = new AbortController();
    for (const handler of this.handlers.values()) await this.run(handler);
  }

  /** Returns when what is in hand is committed. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all([...this.running.values()].map(({ subscription }) => subscription.stop()));
    this.running.clear();
  }

  status(): HandlerStatus[] {
    return [...this.running.values()].map(({ handler, delivery, subscription }) => ({
      consumer: handler.name,
      ...subscription.status(),
      ...delivery.counters,
      waiting: delivery.waiting(),
    }));
  }

  /** Why this service must refuse requests: a handler that never parks cannot go on, or has never been up to date. */
  unreadyReasons(): string[] {
    return [...this.running.values()]
      .filter(({ handler }) => handler.neverPark)
      .flatMap((running) => this.unreadyReason(running) ?? []);
  }

  private async run(handler: Handler): Promise<void> {
    const { service, bus, log, logger } = this.options;
    const { turns } = this;
    const { signal } = this.stopping;
    const delivery = new Delivery({ service, handler, dataSource: log.dataSource, turns, logger, signal });
    const subscription = await bus.subscribe({
      // A group of its own for each handler: docs/adr/0020.
      group: `mledger.${service}.${handler.name}`,
      topics: handler.topics,
      handle: (batch) => delivery.handle(batch),
      startFrom: (place) => delivery.startFrom(place),
    });
    this.running.set(handler.name, { handler, delivery, subscription, caughtUp: false });
  }

  private unreadyReason(running: Running): string | undefined {
    const { handler, delivery, subscription } = running;
    const [waiting] = delivery.waiting();
    if (waiting) return `${handler.name} waits at ${waiting.place}: ${errorText(waiting.error)}`;
    const { state, since, caughtUp } = subscription.status();
    running.caughtUp ||= caughtUp;
    if (!running.caughtUp) return `${handler.name} is not up to date yet`;
    const lost = state !== 'running' && Date.now() - since.getTime() > DISCONNECTED_MS_MAX;
    return lost ? `${handler.name} has lost the bus` : undefined;
  }
}
