import { SERVICE_NAMES, type ServiceName } from './service-name';

export const EVENT_TOPIC_PARTITIONS = 16;
export const EVENT_BYTES_MAX = 4 * 1024 * 1024;
export const TOPIC_MESSAGE_BYTES_MAX = 5 * 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

export const PAYLOADS_TOPIC = 'mledger.inference.payloads';

/** The signed heads of every service's chain, once a minute when there is news; kept for ever. */
export const CHECKPOINTS_TOPIC = 'mledger.checkpoints';

export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  /** -1 keeps for ever: the read models of other services are rebuilt from offset 0. */
  readonly retentionMs: number;
  readonly messageBytesMax: number;
}

export function eventTopic(service: ServiceName): string {
  return `mledger.${service}.events`;
}

/** Every topic of a cluster. Partition counts never change: a key's order lives in its partition. */
export const TOPICS: readonly TopicSpec[] = [
  ...SERVICE_NAMES.map((service) => ({
    topic: eventTopic(service),
    partitions: EVENT_TOPIC_PARTITIONS,
    retentionMs: -1,
    messageBytesMax: TOPIC_MESSAGE_BYTES_MAX,
  })),
  {
    topic: PAYLOADS_TOPIC,
    partitions: EVENT_TOPIC_PARTITIONS,
    retentionMs: 7 * DAY_MS,
    messageBytesMax: TOPIC_MESSAGE_BYTES_MAX,
  },
  { topic: CHECKPOINTS_TOPIC, partitions: 1, retentionMs: -1, messageBytesMax: TOPIC_MESSAGE_BYTES_MAX },
];
