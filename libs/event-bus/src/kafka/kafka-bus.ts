import type { TopicSpec } from '@mledger/contracts';
import type { Kafka } from 'kafkajs';
import type {
  BusLogger,
  BusMessage,
  BusSubscription,
  EventBus,
  MessageBatch,
  PartitionRange,
  SubscribeOptions,
} from '../event-bus';
import { type KafkaConnection, openKafka } from './kafka-client';
import { KafkaProducer } from './kafka-producer';
import { KafkaSubscription } from './kafka-subscription';
import { KafkaTopics } from './kafka-topics';

const SESSION_MS = 30_000;

export interface KafkaBusOptions extends KafkaConnection {
  readonly logger: BusLogger;
  /** Stands before the name of every topic and group, so that several installations can share one Kafka. None by default. */
  readonly namespace?: string;
  /** Of topics made by `ensureTopics`: 3, or 1 on a single machine. */
  readonly replicationFactor: number;
  /** A replica that is not heard of for so long loses its partitions to the others; 30 s by default. */
  readonly sessionMs?: number;
  /** A consumer is dead or stuck and cannot be revived from within: the process has to end, so that its supervisor starts it anew. */
  onFatal(error: Error): void;
}

/** The bus of a cluster: Apache Kafka. */
export class KafkaBus implements EventBus {
  private readonly kafka: Kafka;
  private readonly namespace: string;
  private readonly topics: KafkaTopics;
  private readonly producers = new Map<string, KafkaProducer>();
  private readonly subscriptions = new Set<KafkaSubscription>();

  constructor(private readonly options: KafkaBusOptions) {
    this.namespace = options.namespace ?? '';
    this.kafka = openKafka(options, options.logger);
    this.topics = new KafkaTopics(this.kafka, options.logger, options.replicationFactor);
  }

  publish(topic: string, messages: readonly BusMessage[]): Promise<void> {
    // One producer a topic: a payload that cannot be sent does not throw away the relay's producer.
    let producer = this.producers.get(topic);
    if (!producer) {
      producer = new KafkaProducer(this.kafka, this.topics, this.namespace + topic);
      this.producers.set(topic, producer);
    }
    return producer.publish(messages);
  }

  async subscribe({ group, topics, gatherMs, handle, startFrom }: SubscribeOptions): Promise<BusSubscription> {
    const { logger, onFatal, sessionMs = SESSION_MS } = this.options;
    const subscription = new KafkaSubscription({
      group: this.namespace + group,
      topics: topics.map((topic) => this.namespace + topic),
      gatherMs,
      handle: (batch) => handle(this.withoutNamespace(batch)),
      startFrom: startFrom && (async (place) => startFrom({ ...place, topic: this.ownName(place.topic) })),
      kafka: this.kafka,
      sessionMs,
      topicState: this.topics,
      logger,
      onFatal,
      onStopped: () => this.subscriptions.delete(subscription),
    });
    this.subscriptions.add(subscription);
    subscription.start();
    return subscription;
  }

  ensureTopics(topics: readonly TopicSpec[]): Promise<void> {
    return this.topics.ensure(topics.map((spec) => ({ ...spec, topic: this.namespace + spec.topic })));
  }

  ranges(topic: string): Promise<PartitionRange[]> {
    return this.topics.ranges(this.namespace + topic);
  }

  async close(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.stop()));
    await Promise.all([...this.producers.values()].map((producer) => producer.close()));
    await this.topics.close();
  }

  private ownName(topic: string): string {
    return topic.slice(this.namespace.length);
  }

  private withoutNamespace(batch: MessageBatch): MessageBatch {
    if (this.namespace === '') return batch;
    const topic = this.ownName(batch.topic);
    return { ...batch, topic, messages: batch.messages.map((message) => ({ ...message, topic })) };
  }
}
