import { type Kafka, Partitioners, type Producer } from 'kafkajs';
import { type BusMessage, MessageTooLarge } from '../event-bus';
import { messageBytes, SendQueue } from '../send-queue';
import { findCause, RETRY } from './kafka-client';
import type { KafkaTopics } from './kafka-topics';

/** What the broker says to a message, or to a batch of them, over its `max.message.bytes`. */
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

/** Publishes to one topic, in order, acknowledged by every in-sync replica. */
export class KafkaProducer {
  private readonly queue = new SendQueue((messages) => this.send(messages));
  private producer: Producer | undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly topics: KafkaTopics,
    private readonly topic: string,
  ) {}

  publish(messages: readonly BusMessage[]): Promise<void> {
    return this.queue.push(messages);
  }

  async close(): Promise<void> {
    await this.queue.idle();
    await this.discardProducer();
  }

  private async send(messages: readonly BusMessage[]): Promise<void> {
    try {
      this.producer ??= await this.openProducer();
      await this.producer.send({
        topic: this.topic,
        acks: -1,
        timeout: 30_000,
        messages: messages.map(({ key, headers, value }) => ({ key, headers: { ...headers }, value })),
      });
    } catch (error) {
      // kafkajs takes its sequence numbers back after a failure, though the broker may have kept the batch: another
      // batch under the same numbers could be acknowledged and dropped (#598). A new producer has a new id.
      await this.discardProducer();
      throw findCause(error, ({ type }) => type !== undefined && TOO_LARGE.has(type))
        ? await this.tooLarge(messages)
        : error;
    }
  }

  private async openProducer(): Promise<Producer> {
    if (!(await this.topics.exists(this.topic))) {
      throw new Error(`topic ${this.topic} does not exist: make it with ensureTopics first`);
    }
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // Named, because it is a contract: murmur2 as in Java clients, so that a key's partition never changes.
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: RETRY,
    });
    await producer.connect();
    return producer;
  }

  private async discardProducer(): Promise<void> {
    const producer = this.producer;
    this.producer = undefined;
    // It may be the connection itself that failed, and nothing is waiting for its orderly end.
    await producer?.disconnect().catch(() => undefined);
  }

  private async tooLarge(messages: readonly BusMessage[]): Promise<MessageTooLarge> {
    const bytes = messages.reduce((sum, message) => sum + messageBytes(message), 0);
    const limit = await this.topics.messageBytesMax(this.topic).catch(() => undefined);
    const what = messages.length === 1 ? 'A message' : `A batch of ${messages.length} messages`;
    return new MessageTooLarge(
      `${what} of ${bytes} bytes is larger than topic ${this.topic} takes: its setting max.message.bytes is ` +
        `${limit ?? 'lower'}; raise it, and the broker's message.max.bytes where the topic has none of its own`,
    );
  }
}
