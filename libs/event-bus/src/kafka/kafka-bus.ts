import type { TopicSpec } from '@mledger/contracts';
import type { Kafka } from 'kafkajs';
import type { BusLogger, BusMessage, BusSubscription, EventBus, PartitionRange, SubscribeOptions } from '../event-bus';
import { type KafkaConnection, openKafka } from './kafka-client';
import { KafkaProducer } from './kafka-producer';
import { KafkaSubscription } from './kafka-subscription';
import { KafkaTopics } from './kafka-topics';

export interface KafkaBusOptions extends KafkaConnection {
  readonly logger: BusLogger;
  /** Of topics made by `ensureTopics`: 3, or 1 on a single machine. */
  readonly replicationFactor: number;
  /** A consumer is dead or stuck and cannot be revived from within: the process has to end, so that its supervisor starts it anew. */
  onFatal(error: Error): void;
}

/** The bus of a cluster: Apache Kafka. */
export class KafkaBus implements EventBus {
  private readonly kafka: Kafka;
  private readonly topics: KafkaTopics;
  private readonly producers = new Map<string, KafkaProducer>();
  private readonly subscriptions = new Set<KafkaSubscription>();

  constructor(private readonly options: KafkaBusOptions) {
    this.kafka = openKafka(options, options.logger);
    this.topics = new KafkaTopics(this.kafka, options.logger, options.replicationFactor);
  }

  publish(topic: string, messages: readonly BusMessage[]): Promise<void> {
    // One producer a topic: a payload that cannot be sent does not throw away the relay's producer.
    let producer = this.producers.get(topic);
    if (!producer) {
      producer = new KafkaProducer(this.kafka, this.topics, topic);
      this.producers.set(topic, producer);
    }
    return producer.publish(messages);
  }

  async subscribe(options: SubscribeOptions): Promise<BusSubscription> {
    const subscription = new KafkaSubscription({
      ...options,
      kafka: this.kafka,
      ranges: (topic) => this.topics.ranges(topic),
      logger: this.options.logger,
      onFatal: this.options.onFatal,
      onStopped: () => this.subscriptions.delete(subscription),
    });
    this.subscriptions.add(subscription);
    subscription.start();
    return subscription;
  }

  ensureTopics(topics: readonly TopicSpec[]): Promise<void> {
    return this.topics.ensure(topics);
  }

  ranges(topic: string): Promise<PartitionRange[]> {
    return this.topics.ranges(topic);
  }

  async close(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.stop()));
    await Promise.all([...this.producers.values()].map((producer) => producer.close()));
    await this.topics.close();
  }
}
