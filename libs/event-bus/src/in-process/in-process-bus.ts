import { eventTopic, SERVICE_NAMES, type TopicSpec } from '@mledger/contracts';
import { stopController } from '../backoff';
import type {
  BusLogger,
  BusMessage,
  BusSubscription,
  EventBus,
  LogSource,
  PartitionRange,
  SubscribeOptions,
} from '../event-bus';
import { IN_PROCESS_PARTITION } from '../stream-partition';
import { InProcessSubscription } from './in-process-subscription';
import { LogTopic } from './log-topic';
import { Spool } from './spool';
import type { TopicSource } from './topic-source';

/** The bus of standalone: services' logs are read where they are, other topics are spooled in Postgres. */
export class InProcessBus implements EventBus {
  private readonly logs: ReadonlyMap<string, LogTopic>;
  private readonly subscriptions = new Set<InProcessSubscription>();
  private readonly closing = stopController();

  private constructor(
    private readonly spool: Spool,
    private readonly logger: BusLogger,
  ) {
    this.logs = new Map(
      SERVICE_NAMES.map((service) => [eventTopic(service), new LogTopic(eventTopic(service), service)]),
    );
  }

  /** Makes the spool in the database of `url` unless it is there. */
  static async open({ url, logger }: { url: string; logger: BusLogger }): Promise<InProcessBus> {
    return new InProcessBus(await Spool.open(url, logger), logger);
  }

  async registerLog(service: string, log: LogSource): Promise<{ unregister(): Promise<void> }> {
    const topic = this.logs.get(eventTopic(service as (typeof SERVICE_NAMES)[number]));
    if (!topic) throw new Error(`there is no service ${service}`);
    await topic.attach(log);
    return { unregister: () => topic.detach() };
  }

  async publish(topic: string, messages: readonly BusMessage[]): Promise<void> {
    if (this.logs.has(topic)) throw new Error(`${topic} is read from its service's log: append to that`);
    await this.spool.topic(topic).publish(messages);
  }

  async subscribe(options: SubscribeOptions): Promise<BusSubscription> {
    const subscription: InProcessSubscription = new InProcessSubscription(
      options,
      (topic) => this.source(topic),
      this.logger,
      () => this.subscriptions.delete(subscription),
    );
    this.subscriptions.add(subscription);
    subscription.start();
    return subscription;
  }

  async ensureTopics(topics: readonly TopicSpec[]): Promise<void> {
    for (const { topic, retentionMs } of topics) {
      if (!this.logs.has(topic)) await this.spool.ensureTopic(topic, retentionMs);
    }
  }

  async ranges(topic: string): Promise<PartitionRange[]> {
    const { low, high } = await this.source(topic).range(this.closing.signal);
    return [{ partition: IN_PROCESS_PARTITION, low: String(low), high: String(high) }];
  }

  async close(): Promise<void> {
    this.closing.abort();
    await Promise.all([...this.subscriptions].map((subscription) => subscription.stop()));
    for (const topic of this.logs.values()) await topic.detach();
    await this.spool.close();
  }

  private source(topic: string): TopicSource {
    return this.logs.get(topic) ?? this.spool.topic(topic);
  }
}
