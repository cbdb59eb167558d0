import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import type { BusLogger } from '../event-bus';

/**
 * kafkajs 2.2.4 (February 2023) is its last release. This folder is the only one that imports it, and each of its
 * known defects is answered here; the number is that of the issue in github.com/tulios/kafkajs.
 *
 * | defect                                                        | answer, and where                                          |
 * |---------------------------------------------------------------|------------------------------------------------------------|
 * | defaults of `retry` differ when NODE_ENV is `test`             | `RETRY`, given to client, producer, consumer (this file)   |
 * | #598, sequence numbers run apart after a rejected send         | one send in flight, and the producer is thrown away after a rejection (kafka-producer.ts) |
 * | #1445 #1513 #1443, a crashed consumer stays dead               | never restarted by kafkajs: a new one for an error that passes, `onFatal` for any other (kafka-subscription.ts) |
 * | a TypeError in a handler is taken for a crash of the consumer  | no handler's error ever reaches kafkajs (kafka-subscription.ts) |
 * | #659 #1072, consuming stops without an error                   | watchdog: lag, but no progress for 60 s, is fatal (kafka-subscription.ts) |
 * | #1732, one slow topic stops the others of its broker           | one consumer a subscription (kafka-bus.ts), one subscription a handler (consumer/) |
 * | #1046 #1097 #1122, commits for partitions that were lost; #922 | a lock and the position in our database (consumer/)        |
 * | #540 #1729 #1212, committed offsets are wrong or missing       | positions come from our database at every assignment; Kafka's are a hint for its own tools (kafka-subscription.ts) |
 * | #1363, seek does nothing                                       | only while its partition is paused, before its first fetch (kafka-subscription.ts) |
 * | #1764 #526, memory                                             | nothing parallel inside a partition; caps in bytes (kafka-subscription.ts) |
 * | `createTopics` fails when a new topic is not known everywhere yet; the admin does not look for a partition's new leader | asked again (kafka-topics.ts) |
 * | `disconnect` waits for a long poll of 5 s                      | `maxWaitTimeInMs` 500 (kafka-subscription.ts)              |
 */
export const RETRY = { retries: 5, initialRetryTime: 200, maxRetryTime: 3_000, multiplier: 2, factor: 0.2 };

export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl?: KafkaConfig['ssl'];
  readonly sasl?: KafkaConfig['sasl'];
}

/** kafkajs calls an error what it then retries by itself; what matters is logged by this folder, the rest is for debugging. */
export function openKafka({ brokers, clientId, ssl, sasl }: KafkaConnection, logger: BusLogger): Kafka {
  return new Kafka({
    clientId,
    brokers: [...brokers],
    ...(ssl !== undefined && { ssl }),
    ...(sasl !== undefined && { sasl }),
    connectionTimeout: 3_000,
    requestTimeout: 30_000,
    enforceRequestTimeout: true,
    retry: RETRY,
    logLevel: logLevel.INFO,
    logCreator:
      () =>
      ({ namespace, log: { message, timestamp: _, ...fields } }) =>
        logger.debug({ ...fields, kafkajs: namespace }, message),
  });
}

export interface KafkaError extends Error {
  /** The broker's name for a protocol error. */
  readonly type?: string;
  readonly retriable?: boolean;
  readonly cause?: KafkaError;
  /** One for each topic of a request. */
  readonly errors?: readonly KafkaError[];
}

/** kafkajs wraps errors in errors; the first of them that `test` accepts. */
export function findCause(error: unknown, test: (error: KafkaError) => boolean): KafkaError | undefined {
  for (const one of unwrapped(error as KafkaError)) if (test(one)) return one;
  return undefined;
}

function* unwrapped(error: KafkaError | undefined): Generator<KafkaError> {
  if (!error) return;
  yield error;
  for (const inner of error.errors ?? []) yield* unwrapped(inner);
  yield* unwrapped(error.cause);
}

/** Whether a later attempt may succeed by itself: what kafkajs decides by before it would restart a consumer. */
export function isPassing(error: unknown): boolean {
  const given = error as KafkaError;
  if (given.name === 'KafkaJSNumberOfRetriesExceeded') return true;
  let origin = given;
  while (origin.cause) origin = origin.cause;
  return origin.retriable === true;
}
