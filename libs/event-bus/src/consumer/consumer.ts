import type { ServiceName } from '@mledger/contracts';
import { CommandRefused } from '@mledger/event-log';
import type { DataSource } from 'typeorm';
import { pause, stopController } from '../backoff';
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
  rebuildHandler,
} from './handler';
import { ParkedEvents } from './parked-events';
import { ReadModelTables } from './read-model-tables';
import { Turns } from './turns';

/** Transactions of consumers at once, in a process; the rest of the pool is for requests, and for what handlers read. */
const TRANSACTIONS_MAX = 2;
/** So long may the connection to the bus be lost before a handler that never parks counts as unable to go on. */
const DISCONNECTED_MS_MAX = 30_000;
const CATCH_UP_POLL_MS = 50;
/** So long the live read model may be held while the rebuilt one reaches it. */
const HOLD_MS_MAX = 20_000;

export interface ConsumerOptions {
  readonly service: ServiceName;
  readonly log: { readonly dataSource: DataSource };
  readonly bus: EventBus;
  readonly logger: BusLogger;
  readonly reactions?: readonly Reaction[];
  readonly readModels?: readonly ReadModel[];
  readonly payloadHandlers?: readonly PayloadHandler[];
  /** Keep it below half of the log's pool. */
  readonly transactionsMax?: number;
}

export interface HandlerStatus extends DeliveryCounters, SubscriptionStatus {
  readonly consumer: string;
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
  /** By the id under which positions are stored. */
  private readonly handlers = new Map<string, Handler>();
  private readonly running = new Map<string, Running>();
  private readonly turns: Turns;
  private readonly tables: ReadModelTables;
  private readonly rebuilding = new Set<string>();
  private readonly stopping = stopController();
  private prepared: Promise<void> | undefined;

  constructor(private readonly options: ConsumerOptions) {
    const { service, log, reactions = [], readModels = [], payloadHandlers = [] } = options;
    const names = [...reactions, ...readModels, ...payloadHandlers].map(({ name }) => name);
    if (new Set(names).size < names.length) throw new Error(`two consumers of ${service} have the same name`);
    this.turns = new Turns(options.transactionsMax ?? TRANSACTIONS_MAX);
    this.tables = new ReadModelTables(service, log.dataSource, options.bus.registerLog !== undefined);
    this.parked = new ParkedEvents(service, log.dataSource, this.handlers);
  }

  /** Makes the tables of read models, so that they can be queried; `start` does it too. Needs `eventBusMigrations`. */
  prepare(): Promise<void> {
    this.prepared ??= this.prepareOnce();
    return this.prepared;
  }

  /** Begins to consume. Does not wait for the broker. */
  async start(): Promise<void> {
    await this.prepare();
    const { reactions = [], readModels = [], payloadHandlers = [] } = this.options;
    const handlers = [
      ...reactions.map(reactionHandler),
      ...readModels.map((model) => readModelHandler(model, this.tables)),
      ...payloadHandlers.map(payloadHandler),
    ];
    for (const handler of handlers) await this.run(handler);
  }

  /** Returns when what is in hand is committed. It is not started again. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all([...this.running.values()].map(({ subscription }) => subscription.stop()));
    this.running.clear();
    this.handlers.clear();
  }

  status(): HandlerStatus[] {
    return [...this.running.values()].map(({ handler, delivery, subscription }) => ({
      consumer: handler.id,
      ...subscription.status(),
      ...delivery.counters,
      waiting: delivery.waiting(),
    }));
  }

  /**
   * Messages for a handler that no replica of the service has handled yet. Asks the bus.
   * @throws {Error} when there is no such handler, or the bus cannot tell now
   */
  async groupLag(consumer: string): Promise<number> {
    const running = this.running.get(consumer);
    if (!running) throw new Error(`${consumer} is not running`);
    return running.subscription.groupLag();
  }

  /** Why this service must refuse requests: a handler that never parks cannot go on, or has never been up to date. */
  unreadyReasons(): string[] {
    return [...this.running.values()]
      .filter(({ handler }) => handler.neverPark && handler.id === handler.name)
      .flatMap((running) => unreadyReason(running) ?? []);
  }

  /**
   * Builds a read model anew, from the oldest message on, beside the live one, which queries see until the new one has
   * reached it. Resolves when it is shown; if the process dies, the live one stays.
   * @throws {CommandRefused} not-found, or conflict while a rebuild of it is under way
   */
  async rebuild(name: string): Promise<void> {
    const model = this.options.readModels?.find((candidate) => candidate.name === name);
    if (!model) throw refused('not-found', 'READ_MODEL_NOT_FOUND', `There is no read model ${name}`);
    if (this.rebuilding.has(name)) {
      throw refused(
        'conflict',
        'REBUILD_UNDER_WAY',
        `Read model ${name} is being rebuilt already: wait until it is done`,
      );
    }
    this.rebuilding.add(name);
    try {
      await this.rebuildOnce(model);
    } finally {
      this.rebuilding.delete(name);
    }
  }

  private async prepareOnce(): Promise<void> {
    for (const model of this.options.readModels ?? []) await this.tables.ensure(model);
  }

  private async rebuildOnce(model: ReadModel): Promise<void> {
    const build = await this.tables.begin(model);
    const { handler, subscription } = await this.run(rebuildHandler(model, this.tables, build));
    try {
      await this.until(async () => {
        await this.tables.assertBuilding(this.options.log.dataSource.manager, model, build);
        return subscription.status().caughtUp;
      }, Number.POSITIVE_INFINITY);
      await this.tables.swap(model, build, (isBehind) => this.until(async () => !(await isBehind()), HOLD_MS_MAX));
    } finally {
      await this.end(handler.id);
    }
  }

  private async run(handler: Handler): Promise<Running> {
    const { service, bus, log, logger } = this.options;
    const { turns } = this;
    const { signal } = this.stopping;
    this.handlers.set(handler.id, handler);
    const delivery = new Delivery({ service, handler, dataSource: log.dataSource, turns, logger, signal });
    const subscription = await bus.subscribe({
      // A group of its own for each handler: docs/adr/0020.
      group: `mledger.${service}.${handler.id}`,
      topics: handler.topics,
      gatherMs: handler.gatherMs,
      handle: (batch) => delivery.handle(batch),
      startFrom: (place) => delivery.startFrom(place),
    });
    const running = { handler, delivery, subscription, caughtUp: false };
    this.running.set(handler.id, running);
    return running;
  }

  private async end(id: string): Promise<void> {
    const running = this.running.get(id);
    this.running.delete(id);
    await running?.subscription.stop();
    this.handlers.delete(id);
  }

  private async until(condition: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await condition())) {
      if (Date.now() > deadline)
        throw new Error(`the rebuilt read model did not reach the live one in ${timeoutMs} ms`);
      if (!(await pause(CATCH_UP_POLL_MS, this.stopping.signal))) throw new Error('this service is stopping');
    }
  }
}

function unreadyReason(running: Running): string | undefined {
  const { handler, delivery, subscription } = running;
  const [waiting] = delivery.waiting();
  if (waiting) return `${handler.name} waits at ${waiting.place}: ${errorText(waiting.error)}`;
  const { state, since, caughtUp } = subscription.status();
  running.caughtUp ||= caughtUp;
  if (!running.caughtUp) return `${handler.name} is not up to date yet`;
  const lost = state !== 'running' && Date.now() - since.getTime() > DISCONNECTED_MS_MAX;
  return lost ? `${handler.name} has lost the bus` : undefined;
}

function refused(kind: 'not-found' | 'conflict', code: string, message: string): CommandRefused {
  return new CommandRefused({ kind, code, message });
}
