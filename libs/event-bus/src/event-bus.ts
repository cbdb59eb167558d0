import type { TopicSpec } from '@mledger/contracts';
import type { Sequenced } from '@mledger/event-log';

/** What travels: CloudEvents in Kafka's binary mode, or a payload. Messages of one key keep their order. */
export interface BusMessage {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
}

export interface ReceivedMessage extends BusMessage {
  readonly topic: string;
  readonly partition: number;
  /** Decimal text, growing within a partition; what `startFrom` gives back after a restart. */
  readonly offset: string;
}

export interface MessageBatch {
  readonly topic: string;
  readonly partition: number;
  /** In order of offset; never empty. */
  readonly messages: readonly ReceivedMessage[];
}

/** What a partition holds: from `low` (the oldest that is kept) to just before `high` (the next to be written). */
export interface PartitionRange {
  readonly partition: number;
  readonly low: string;
  readonly high: string;
}

/** A partition that is taken over. */
export interface StartPlace extends PartitionRange {
  readonly topic: string;
  /** False when the transport has never heard of this group there: a topic that was made anew, or the group's first time. */
  readonly remembered: boolean;
  /** `high` looked up anew: by now others may have written more, and handled it. */
  highNow(): Promise<string>;
}

export interface SubscribeOptions {
  /** Replicas of one group share the partitions of its topics. */
  readonly group: string;
  readonly topics: readonly string[];
  /** So long may messages gather, so that more of them come in one batch; undefined: they come as soon as they are there. */
  readonly gatherMs?: number;
  /**
   * Handles a whole batch, or rejects: then that partition alone waits (100 ms, doubling up to 30 s) and the same
   * messages come again, for ever. A message may come more than once, and again after a rebalance to another replica.
   */
  handle(batch: MessageBatch): Promise<void>;
  /** The stored offset to read on from, asked whenever a partition is taken over; undefined: from the oldest. */
  startFrom?(place: StartPlace): Promise<string | undefined>;
}

export interface SubscriptionStatus {
  /** `connecting` also after a lost connection, until the partitions are there again. */
  readonly state: 'connecting' | 'running' | 'stopped';
  readonly since: Date;
  /** Whether the end of every partition in hand, as it was known, has been reached since it was taken over. */
  readonly caughtUp: boolean;
  /** Messages not yet handled in the partitions that this replica holds; undefined until first known. */
  readonly lag: number | undefined;
}

export interface BusSubscription {
  status(): SubscriptionStatus;
  /**
   * Messages that no replica of the group has handled yet: `lag` in the status is of the partitions in hand, and those of a replica
   * that was killed are in nobody's hand until its session ends. Asks the transport.
   * @throws {Error} when the transport cannot tell now
   */
  groupLag(): Promise<number>;
  /** Returns when the batch in hand is done and the partitions are given up. */
  stop(): Promise<void>;
}

/** Carries messages between services. Two transports: Kafka, and within one process. */
export interface EventBus {
  /**
   * Resolves when the messages are stored durably; a rejection leaves open how many of them are.
   * @throws {MessageTooLarge} when the transport is set up for less
   */
  publish(topic: string, messages: readonly BusMessage[]): Promise<void>;
  /** Returns at once and connects in the background, so that a service can start before its broker. */
  subscribe(options: SubscribeOptions): Promise<BusSubscription>;
  /** Makes the topics that are missing. @throws {Error} when one has another number of partitions */
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>;
  /** What a topic holds now, one entry a partition. */
  ranges(topic: string): Promise<PartitionRange[]>;
  /** Only where the transport reads the logs themselves: then nothing needs to be relayed. */
  registerLog?(service: string, log: LogSource): Promise<{ unregister(): Promise<void> }>;
  close(): Promise<void>;
}

/** The part of an event log that a relay or an in-process bus reads: its public order, and a wake-up when it grows. */
export interface LogSource {
  readonly store: {
    readLog(options: { afterSeq: number; limit: number }): Promise<readonly Sequenced[]>;
    head(): Promise<number>;
  };
  subscribe(options: { afterSeq: number; onEvents(events: readonly Sequenced[]): Promise<void> }): {
    stop(): Promise<void>;
  };
}

/** One message is larger than the transport is set up to carry; `message` names the setting. Nothing was dropped. */
export class MessageTooLarge extends Error {
  override readonly name = 'MessageTooLarge';
}

/** The shape of pino's logger. */
export interface BusLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
