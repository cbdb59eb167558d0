import { setTimeout as delay } from 'node:timers/promises';
import type { TopicSpec } from '@mledger/contracts';
import { type Admin, ConfigResourceTypes, type Kafka } from 'kafkajs';
import type { BusLogger, PartitionRange } from '../event-bus';
import { errorText } from '../failure';
import { findCause, isPassing, RETRY } from './kafka-client';

const ENSURE_MS_MAX = 60_000;
const ENSURE_RETRY_MS = 200;

const LEADERLESS = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE', 'REPLICA_NOT_AVAILABLE']);
const LEADER_RETRY_MS = 200;

/** Subscriptions of one process ask for the same ends at the same time. */
const RECENT_MS_MAX = 500;

/** Makes topics, and tells what they hold. One connection, made anew after any error. */
export class KafkaTopics {
  private admin: Promise<Admin> | undefined;
  private readonly recent = new Map<string, { at: number; answer: Promise<unknown> }>();

  constructor(
    private readonly kafka: Kafka,
    private readonly logger: BusLogger,
    private readonly replicationFactor: number,
  ) {}

  /** Waits up to a minute for a broker that is away, or that does not know yet what it has just made. */
  async ensure(specs: readonly TopicSpec[]): Promise<void> {
    let isTold = false;
    for (const deadline = Date.now() + ENSURE_MS_MAX; ; await delay(ENSURE_RETRY_MS)) {
      try {
        const existing = new Set(await this.withAdmin((admin) => admin.listTopics()));
        const missing = specs.filter(({ topic }) => !existing.has(topic));
        if (missing.length > 0) await this.create(missing);
        return await this.check(specs);
      } catch (error) {
        if (!isSettling(error) || Date.now() > deadline) throw error;
        const isAway = findCause(error, ({ name }) => name === 'KafkaJSConnectionError') !== undefined;
        if (isAway && !isTold) this.logger.warn({ error: errorText(error) }, 'Kafka does not answer, trying again');
        isTold ||= isAway;
      }
    }
  }

  async exists(topic: string): Promise<boolean> {
    return (await this.withAdmin((admin) => admin.listTopics())).includes(topic);
  }

  /** Each partition's oldest and next offset, at most half a second old. */
  ranges(topic: string): Promise<PartitionRange[]> {
    return this.recently(`ranges/${topic}`, () => this.rangesNow(topic));
  }

  async rangesNow(topic: string): Promise<PartitionRange[]> {
    const offsets = await this.withAdmin((admin) => admin.fetchTopicOffsets(topic));
    return offsets.map(({ partition, low, high }) => ({ partition, low, high }));
  }

  /** What this Kafka knows of a group's positions, by partition; it lacks those of which it has never heard. */
  async committed(group: string, topic: string): Promise<Map<number, string>> {
    const [found] = await this.withAdmin((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }));
    const known = (found?.partitions ?? []).filter(({ offset }) => offset !== '-1');
    return new Map(known.map(({ partition, offset }) => [partition, offset]));
  }

  /** `committed`, at most half a second old. */
  recentlyCommitted(group: string, topic: string): Promise<Map<number, string>> {
    return this.recently(`committed/${group}/${topic}`, () => this.committed(group, topic));
  }

  async messageBytesMax(topic: string): Promise<string | undefined> {
    return (await this.settings([topic])).get(topic)?.get('max.message.bytes');
  }

  async close(): Promise<void> {
    await this.discardAdmin();
  }

  private recently<T>(question: string, ask: () => Promise<T>): Promise<T> {
    const recent = this.recent.get(question);
    if (recent && Date.now() - recent.at < RECENT_MS_MAX) return recent.answer as Promise<T>;
    const answer = ask();
    this.recent.set(question, { at: Date.now(), answer });
    answer.catch(() => this.recent.delete(question));
    return answer;
  }

  private async create(specs: readonly TopicSpec[]): Promise<void> {
    await this.withAdmin((admin) =>
      admin.createTopics({
        waitForLeaders: false,
        topics: specs.map((spec) => ({
          topic: spec.topic,
          numPartitions: spec.partitions,
          replicationFactor: this.replicationFactor,
          configEntries: Object.entries(settingsOf(spec)).map(([name, value]) => ({ name, value })),
        })),
      }),
    );
  }

  /** A foreign number of partitions would break the order of streams; other settings are the operator's to answer for. */
  private async check(specs: readonly TopicSpec[]): Promise<void> {
    const topics = specs.map(({ topic }) => topic);
    const metadata = await this.withAdmin((admin) => admin.fetchTopicMetadata({ topics }));
    const settings = await this.settings(topics);
    for (const spec of specs) {
      const partitions = metadata.topics.find(({ name }) => name === spec.topic)?.partitions.length;
      if (partitions !== spec.partitions) {
        throw new Error(
          `Topic ${spec.topic} has ${partitions} partitions, but must have ${spec.partitions}: ` +
            'a stream keeps its order in one partition, so their number never changes',
        );
      }
      for (const [name, wanted] of Object.entries(settingsOf(spec))) {
        const actual = settings.get(spec.topic)?.get(name);
        if (actual !== undefined && actual !== wanted) {
          this.logger.warn({ topic: spec.topic, setting: name, actual, wanted }, 'a topic is set up in another way');
        }
      }
    }
  }

  private async settings(topics: readonly string[]): Promise<Map<string, Map<string, string>>> {
    const { resources } = await this.withAdmin((admin) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
      }),
    );
    return new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      ]),
    );
  }

  private async withAdmin<T>(ask: (admin: Admin) => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      this.admin ??= this.openAdmin();
      try {
        return await ask(await this.admin);
      } catch (error) {
        await this.discardAdmin();
        if (failures > RETRY.retries || !isLeaderless(error)) throw error;
      }
      await delay(LEADER_RETRY_MS);
    }
  }

  private async openAdmin(): Promise<Admin> {
    const admin = this.kafka.admin({ retry: RETRY });
    await admin.connect();
    return admin;
  }

  private async discardAdmin(): Promise<void> {
    const admin = this.admin;
    this.admin = undefined;
    await admin?.then((opened) => opened.disconnect()).catch(() => undefined);
  }
}

function settingsOf({ retentionMs, messageBytesMax }: TopicSpec): Record<string, string> {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(retentionMs),
    'max.message.bytes': String(messageBytesMax),
  };
}

/** Said of a partition that is new, or moves to another broker. kafkajs' admin repeats other errors, and not these. */
function isLeaderless(error: unknown): boolean {
  return findCause(error, ({ type }) => type !== undefined && LEADERLESS.has(type)) !== undefined;
}

/** Another service may make the same topics at the same time; metadata of a new topic spreads after the answer. */
function isSettling(error: unknown): boolean {
  const found = findCause(
    error,
    ({ type, retriable }) => type === 'TOPIC_ALREADY_EXISTS' || (type !== undefined && retriable === true),
  );
  return found !== undefined || isPassing(error);
}
