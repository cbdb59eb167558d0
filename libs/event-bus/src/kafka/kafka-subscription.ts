import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { backoffMs, pause as wait, stopController } from '../backoff';
import type { BusLogger, BusSubscription, ReceivedMessage, SubscribeOptions, SubscriptionStatus } from '../event-bus';
import { errorText } from '../failure';
import { isPassing, RETRY } from './kafka-client';
import type { KafkaTopics } from './kafka-topics';
import { PartitionProgress, type Place } from './partition-progress';

const HEARTBEAT_MS = 3_000;
/** Above the longest slice: after that time the group goes on without us, and only the database's lock fences us off. */
const REBALANCE_MS = 60_000;
const FETCH_BYTES_MAX = 4 * 1024 * 1024;
const FETCH_WAIT_MS = 500;
/** As much as need not gather any longer, where messages may. */
const FETCH_BYTES_MIN = 256 * 1024;
const PARTITIONS_AT_ONCE = 3;
/** Between two slices of a batch the consumer looks whether it has to give its partitions up. */
const SLICE_MESSAGES = 200;
const WATCH_EVERY_MS = 10_000;
const STUCK_AFTER_MS = 60_000;
const DISCONNECT_MS_MAX = 10_000;

interface KafkaSubscriptionOptions extends SubscribeOptions {
  readonly kafka: Kafka;
  readonly sessionMs: number;
  readonly topicState: Pick<KafkaTopics, 'ranges' | 'rangesNow' | 'committed' | 'recentlyCommitted'>;
  readonly logger: BusLogger;
  onFatal(error: Error): void;
  onStopped(): void;
}

/** One kafkajs consumer after another: a crash that passes is followed by a new one, any other is fatal. */
export class KafkaSubscription implements BusSubscription {
  private readonly stopping = stopController();
  private readonly stopped = new Promise<undefined>((resolve) => {
    this.stopping.signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  private readonly progress = new PartitionProgress();
  private readonly heldBack = new Map<string, NodeJS.Timeout>();
  private state: SubscriptionStatus['state'] = 'connecting';
  private since = new Date();
  private assignment = 0;
  private supervisor: Promise<void> | undefined;

  constructor(private readonly options: KafkaSubscriptionOptions) {}

  start(): void {
    this.supervisor = this.supervise();
    void this.watch();
  }

  status(): SubscriptionStatus {
    const { state, since, progress } = this;
    const running = state === 'running';
    return { state, since, lag: running ? progress.lag() : undefined, caughtUp: running && progress.caughtUp() };
  }

  /** Of the partitions in hand from here; of the others from what their holders told Kafka, which is never ahead of what they did. */
  async groupLag(): Promise<number> {
    const { topics, group, topicState } = this.options;
    let lag = 0n;
    for (const topic of topics) {
      const [ranges, committed] = await Promise.all([
        topicState.ranges(topic),
        topicState.recentlyCommitted(group, topic),
      ]);
      for (const { partition, low, high } of ranges) {
        const next = this.progress.next({ topic, partition }) ?? BigInt(committed.get(partition) ?? low);
        // What has expired is nobody's any more.
        const handled = next > BigInt(low) ? next : BigInt(low);
        if (BigInt(high) > handled) lag += BigInt(high) - handled;
      }
    }
    return Number(lag);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.supervisor;
    this.options.onStopped();
  }

  private async supervise(): Promise<void> {
    const { logger, group, onFatal } = this.options;
    const { signal } = this.stopping;
    for (let failures = 1; !signal.aborted; failures += 1) {
      const startedAt = Date.now();
      const error = await this.consumeUntilCrash();
      this.forgetAssignment();
      if (signal.aborted) break;
      if (!isPassing(error)) {
        onFatal(new Error(`the consumer of group ${group} crashed: ${errorText(error)}`, { cause: error }));
        break;
      }
      if (Date.now() - startedAt > STUCK_AFTER_MS) failures = 1;
      const retryInMs = backoffMs(failures);
      logger.warn({ group, retryInMs, error: errorText(error) }, 'lost the connection to Kafka, connecting anew');
      await wait(retryInMs, signal);
    }
    this.become('stopped');
  }

  /** Runs one consumer; returns its error, or undefined when it was stopped. */
  private async consumeUntilCrash(): Promise<unknown> {
    const { kafka, group, topics, gatherMs, sessionMs } = this.options;
    const consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: sessionMs,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: REBALANCE_MS,
      maxBytes: FETCH_BYTES_MAX,
      maxBytesPerPartition: FETCH_BYTES_MAX,
      minBytes: gatherMs === undefined ? 1 : FETCH_BYTES_MIN,
      maxWaitTimeInMs: gatherMs ?? FETCH_WAIT_MS,
      allowAutoTopicCreation: false,
      // kafkajs' own restart forgets errors of the restart itself (#1445), so a crash always ends this consumer.
      retry: { ...RETRY, restartOnFailure: async () => false },
    });
    const crashed = new Promise<unknown>((resolve) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error));
    });
    // Until it is over nobody gets anything; that may take as long as a session, when a member was killed.
    consumer.on(consumer.events.REBALANCING, () => this.become('connecting'));
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.takeOver(consumer, payload.memberAssignment));
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
        eachBatch: (payload) => this.eachBatch(consumer, payload),
      });
      return await Promise.race([crashed, this.stopped]);
    } catch (error) {
      return error;
    } finally {
      // Leaving the group is a courtesy to the other replicas; a broker that is away cannot be asked for it.
      await Promise.race([
        consumer.disconnect().catch(() => undefined),
        delay(DISCONNECT_MS_MAX, undefined, { ref: false }),
      ]);
    }
  }

  /**
   * Positions come from `startFrom`, so from the handler's own database, at every assignment. The partitions are paused
   * before kafkajs fetches for the first time (this listener is called before the join returns), so that nothing
   * arrives from where Kafka believes the group to be.
   */
  private takeOver(consumer: Consumer, assigned: Record<string, number[]>): void {
    const partitions = Object.entries(assigned).map(([topic, numbers]) => ({ topic, partitions: numbers }));
    this.forgetAssignment();
    const assignment = this.assignment;
    consumer.pause(partitions);
    const begin = async (): Promise<void> => {
      for (let failures = 1; assignment === this.assignment; failures += 1) {
        try {
          await this.findPositions(consumer, partitions, assignment);
          return;
        } catch (error) {
          const { logger, group } = this.options;
          logger.warn({ group, error: errorText(error) }, 'cannot read the positions to go on from, trying again');
          await wait(backoffMs(failures), this.stopping.signal);
        }
      }
    };
    void begin();
  }

  private async findPositions(
    consumer: Consumer,
    assigned: readonly { topic: string; partitions: readonly number[] }[],
    assignment: number,
  ): Promise<void> {
    const positions: (Place & { offset: string; high: string; isStored: boolean })[] = [];
    for (const { topic, partitions } of assigned) {
      const { topicState, group, startFrom } = this.options;
      const ranges = await topicState.ranges(topic);
      const remembered = await topicState.committed(group, topic);
      for (const range of ranges.filter(({ partition }) => partitions.includes(partition))) {
        const { partition, low, high } = range;
        const highNow = async () =>
          (await topicState.rangesNow(topic)).find((now) => now.partition === partition)?.high ?? high;
        const stored = await startFrom?.({ topic, ...range, highNow, remembered: remembered.has(partition) });
        positions.push({ topic, partition, offset: stored ?? low, high, isStored: stored !== undefined });
      }
    }
    if (assignment !== this.assignment) return;
    for (const { topic, partition, offset, high } of positions) {
      this.progress.begin({ topic, partition }, { next: BigInt(offset), high: BigInt(high) });
      consumer.seek({ topic, partition, offset });
    }
    consumer.resume(assigned.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] })));
    this.become('running');
    // The holder before may have been lost with its last hint unsent, and a partition that is quiet gets no other. None where the group
    // begins anew: Kafka would remember it, and the next holder go on from a stored offset of the topic that was lost.
    const hints = positions
      .filter(({ isStored }) => isStored)
      .map(({ topic, partition, offset }) => ({ topic, partition, offset }));
    if (hints.length > 0) await consumer.commitOffsets(hints).catch(() => undefined);
  }

  private async eachBatch(
    consumer: Consumer,
    { batch, resolveOffset, heartbeat, isRunning, ...payload }: EachBatchPayload,
  ) {
    const { assignment } = this;
    const place = { topic: batch.topic, partition: batch.partition };
    this.progress.seeHigh(place, BigInt(batch.highWatermark));
    if (await this.leavesGap(place, BigInt(batch.messages[0]!.offset))) {
      consumer.seek({ ...place, offset: String(this.progress.next(place)) });
      return;
    }
    for (let from = 0; from < batch.messages.length; from += SLICE_MESSAGES) {
      if (!isRunning() || payload.isStale() || assignment !== this.assignment) return;
      const messages = batch.messages.slice(from, from + SLICE_MESSAGES).map((message) => received(place, message));
      try {
        await this.progress.during(() => beating(heartbeat, () => this.options.handle({ ...place, messages })));
      } catch (error) {
        // It goes no further than here: kafkajs would take a TypeError of a handler for its own crash.
        this.holdBack(place, payload.pause, error);
        return;
      }
      if (assignment !== this.assignment) return;
      const last = messages.at(-1)!.offset;
      resolveOffset(last);
      this.progress.advance(place, BigInt(last) + 1n);
      // Throws while the group rebalances, and kafkajs then joins again.
      await heartbeat();
    }
    await this.hintOffset(place, payload.commitOffsetsIfNecessary);
  }

  /** Whether messages were passed over that the topic still holds: none of ours are transactional or compacted away. */
  private async leavesGap(place: Place, first: bigint): Promise<boolean> {
    const next = this.progress.next(place);
    if (next === undefined || first <= next) return false;
    const range = (await this.options.topicState.ranges(place.topic)).find(
      ({ partition }) => partition === place.partition,
    );
    if (!range || BigInt(range.low) >= first) return false;
    this.options.logger.error({ ...place, next: String(next), first: String(first) }, 'Kafka passed over messages');
    return true;
  }

  /** Lets one partition wait, while the others flow; its messages come again from the last one that was handled. */
  private holdBack(place: Place, pausePartition: () => () => void, error: unknown): void {
    const failures = this.progress.fail(place);
    const retryInMs = backoffMs(failures);
    const { logger, group } = this.options;
    logger.debug({ group, ...place, failures, retryInMs, error: errorText(error) }, 'a partition waits');
    const resume = pausePartition();
    const timer = setTimeout(() => {
      this.heldBack.delete(`${place.topic}/${place.partition}`);
      resume();
    }, retryInMs);
    this.heldBack.set(`${place.topic}/${place.partition}`, timer);
  }

  /** For Kafka's own tools, and for other replicas (groupLag); no position is taken from it, so a failure is no matter. */
  private async hintOffset(
    { topic, partition }: Place,
    commit: EachBatchPayload['commitOffsetsIfNecessary'],
  ): Promise<void> {
    const offset = this.progress.next({ topic, partition });
    if (offset === undefined) return;
    await commit({ topics: [{ topic, partitions: [{ partition, offset: String(offset) }] }] }).catch(() => undefined);
  }

  private become(state: SubscriptionStatus['state']): void {
    if (state !== this.state) this.since = new Date();
    this.state = state;
  }

  private forgetAssignment(): void {
    this.assignment += 1;
    this.become('connecting');
    this.progress.clear();
    for (const timer of this.heldBack.values()) clearTimeout(timer);
    this.heldBack.clear();
  }

  /** kafkajs can stop consuming without any error (#659, #1072): then there is lag, and nothing moves. */
  private async watch(): Promise<void> {
    const { group, topics, topicState, onFatal, logger } = this.options;
    while (await wait(WATCH_EVERY_MS, this.stopping.signal)) {
      try {
        for (const topic of topics) {
          for (const { partition, high } of await topicState.ranges(topic))
            this.progress.seeHigh({ topic, partition }, BigInt(high));
        }
      } catch (error) {
        // The broker is away; that is no fault of the consumer's, and is not counted as one.
        logger.debug({ group, error: errorText(error) }, 'cannot see how far the topics are');
        this.progress.touch();
        continue;
      }
      if (this.progress.isStuck(STUCK_AFTER_MS) && this.heldBack.size === 0) {
        const lag = this.progress.lag();
        onFatal(new Error(`the consumer of group ${group} has not moved for ${STUCK_AFTER_MS} ms; its lag is ${lag}`));
        return;
      }
    }
  }
}

/** Tells the group that we live while the work goes on. A failed heartbeat shows again at the next one. */
async function beating<T>(heartbeat: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

function received(place: Place, message: EachBatchPayload['batch']['messages'][number]): ReceivedMessage {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    if (value !== undefined) headers[name] = String(Array.isArray(value) ? value[0] : value);
  }
  return {
    ...place,
    offset: message.offset,
    key: message.key?.toString() ?? '',
    headers,
    value: message.value ?? Buffer.alloc(0),
  };
}
