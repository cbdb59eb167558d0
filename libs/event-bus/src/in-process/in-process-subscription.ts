import { backoffMs, pause, stopController } from '../backoff';
import type { BusLogger, BusSubscription, ReceivedMessage, SubscribeOptions, SubscriptionStatus } from '../event-bus';
import { errorText } from '../failure';
import { IN_PROCESS_PARTITION } from '../stream-partition';
import type { TopicSource } from './topic-source';

const READ_MESSAGES_MAX = 200;

interface Reader {
  readonly topic: string;
  readonly source: TopicSource;
  /** The position to read next; undefined until the topic is there. */
  next: number | undefined;
  reachedEnd: boolean;
}

/** Reads each of its topics in a loop of its own, so that one that waits does not stop the others. */
export class InProcessSubscription implements BusSubscription {
  private readonly stopping = stopController();
  private readonly since = new Date();
  private readonly readers: Reader[];
  private loops: Promise<unknown> | undefined;

  constructor(
    private readonly options: SubscribeOptions,
    sourceOf: (topic: string) => TopicSource,
    private readonly logger: BusLogger,
    private readonly onStopped: () => void,
  ) {
    this.readers = options.topics.map((topic) => ({
      topic,
      source: sourceOf(topic),
      next: undefined,
      reachedEnd: false,
    }));
  }

  start(): void {
    this.loops = Promise.all(this.readers.map((reader) => this.follow(reader)));
  }

  status(): SubscriptionStatus {
    const { since } = this;
    if (this.stopping.signal.aborted) return { state: 'stopped', since, lag: undefined, caughtUp: false };
    let lag = 0;
    for (const { source, next } of this.readers) {
      if (next === undefined) return { state: 'connecting', since, lag: undefined, caughtUp: false };
      lag += Math.max(0, source.knownEnd() - next);
    }
    return { state: 'running', since, lag, caughtUp: this.readers.every(({ reachedEnd }) => reachedEnd) };
  }

  /** Each process reads every topic itself. */
  async groupLag(): Promise<number> {
    let lag = 0;
    for (const { topic, source, next } of this.readers) {
      if (next === undefined) throw new Error(`${topic} is not there yet`);
      const { low, high } = await source.range(this.stopping.signal);
      lag += Math.max(0, high - Math.max(low, next));
    }
    return lag;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loops;
    this.onStopped();
  }

  private async follow(reader: Reader): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.advance(reader);
        failures = 0;
      } catch (error) {
        failures += 1;
        const retryInMs = backoffMs(failures);
        const { group } = this.options;
        this.logger.debug(
          { group, topic: reader.topic, failures, retryInMs, error: errorText(error) },
          'a topic waits',
        );
        await pause(retryInMs, signal);
      }
    }
  }

  private async advance(reader: Reader): Promise<void> {
    const { topic, source } = reader;
    const { signal } = this.stopping;
    reader.next ??= await this.firstPosition(reader);
    reader.reachedEnd ||= reader.next >= source.knownEnd();
    await source.reached(reader.next, signal);
    await this.gather(reader.next, source);
    if (signal.aborted) return;
    const messages: readonly ReceivedMessage[] = await source.read(reader.next, READ_MESSAGES_MAX);
    if (messages.length === 0) {
      // What was at the position has expired; what follows it comes from the oldest that is left.
      reader.next = Math.max(reader.next, (await source.range(signal)).low);
      return;
    }
    await this.options.handle({ topic, partition: IN_PROCESS_PARTITION, messages });
    reader.next = Number(messages.at(-1)!.offset) + 1;
  }

  private async gather(next: number, source: TopicSource): Promise<void> {
    const { gatherMs } = this.options;
    if (gatherMs !== undefined && source.knownEnd() - next < READ_MESSAGES_MAX)
      await pause(gatherMs, this.stopping.signal);
  }

  private async firstPosition({ topic, source }: Reader): Promise<number> {
    const { signal } = this.stopping;
    const { low, high } = await source.range(signal);
    const stored = await this.options.startFrom?.({
      topic,
      partition: IN_PROCESS_PARTITION,
      low: String(low),
      high: String(high),
      highNow: async () => String((await source.range(signal)).high),
      remembered: true,
    });
    return stored === undefined ? low : Number(stored);
  }
}
