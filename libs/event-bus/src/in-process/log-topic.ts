import type { Sequenced } from '@mledger/event-log';
import { toCloudEvent } from '../cloud-event';
import type { LogSource, ReceivedMessage } from '../event-bus';
import { IN_PROCESS_PARTITION } from '../stream-partition';
import { type TopicSource, Waiters } from './topic-source';

/** What is kept of a log's end, so that its many readers in this process do not each ask Postgres for it. */
const TAIL_EVENTS_MAX = 256;
const TAIL_BYTES_MAX = 1024 * 1024;

/**
 * A service's log as a topic: the offset is the event's `seq`, and the log itself is what is read, so an event that was
 * appended cannot be lost on its way, whenever the process dies.
 */
export class LogTopic implements TopicSource {
  private readonly waiters = new Waiters();
  private log: LogSource | undefined;
  private subscription: { stop(): Promise<void> } | undefined;
  private head = 0;
  private tail: ReceivedMessage[] = [];
  private tailBytes = 0;

  constructor(
    private readonly topic: string,
    private readonly service: string,
  ) {}

  async attach(log: LogSource): Promise<void> {
    if (this.log) throw new Error(`the log of ${this.service} is registered already`);
    this.log = log;
    this.head = await log.store.head();
    this.subscription = log.subscribe({ afterSeq: this.head, onEvents: async (events) => this.grow(events) });
    this.waiters.wake();
  }

  async detach(): Promise<void> {
    await this.subscription?.stop();
    this.subscription = undefined;
    this.log = undefined;
    this.tail = [];
    this.tailBytes = 0;
  }

  knownEnd(): number {
    return this.head + 1;
  }

  async range(signal: AbortSignal): Promise<{ low: number; high: number }> {
    // A consumer may be there before the service whose events it reads.
    await this.waiters.wait(() => this.log !== undefined, signal);
    return { low: 1, high: this.head + 1 };
  }

  async read(from: number, messagesMax: number): Promise<readonly ReceivedMessage[]> {
    const first = this.tail[0];
    if (first && Number(first.offset) <= from) {
      const start = from - Number(first.offset);
      return this.tail.slice(start, start + messagesMax);
    }
    if (!this.log) return [];
    const events = await this.log.store.readLog({ afterSeq: from - 1, limit: messagesMax });
    return events.map((event) => this.message(event));
  }

  reached(position: number, signal: AbortSignal): Promise<void> {
    return this.waiters.wait(() => this.log !== undefined && this.head >= position, signal);
  }

  private grow(events: readonly Sequenced[]): void {
    for (const event of events) {
      const message = this.message(event);
      this.tail.push(message);
      this.tailBytes += message.value.length;
      this.head = event.seq;
    }
    let dropped = 0;
    while (
      this.tail.length - dropped > TAIL_EVENTS_MAX ||
      (this.tailBytes > TAIL_BYTES_MAX && dropped < this.tail.length)
    ) {
      this.tailBytes -= this.tail[dropped]!.value.length;
      dropped += 1;
    }
    if (dropped > 0) this.tail.splice(0, dropped);
    this.waiters.wake();
  }

  private message(event: Sequenced): ReceivedMessage {
    return {
      ...toCloudEvent(this.service, event),
      topic: this.topic,
      partition: IN_PROCESS_PARTITION,
      offset: String(event.seq),
    };
  }
}
