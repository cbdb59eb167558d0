import { Pool } from 'pg';
import type { BusLogger, BusMessage, ReceivedMessage } from '../event-bus';
import { errorText } from '../failure';
import { SendQueue } from '../send-queue';
import { IN_PROCESS_PARTITION } from '../stream-partition';
import { APPEND, CREATE_SPOOL, ENSURE_TOPIC, EXPIRE, RANGE, READ } from './spool.sql';
import { Waiters, type TopicSource } from './topic-source';

const EXPIRE_EVERY_MS = 60_000;
const READ_BYTES_MAX = 4 * 1024 * 1024;
const CONNECTIONS_MAX = 3;
/** Any number that no other advisory lock of ours is likely to have: the schema is made once, by whoever comes first. */
const CREATE_LOCK = '4993012775631';

/** The topics that are no service's log, as a table in Postgres with retention. */
export class Spool {
  private readonly topics = new Map<string, SpoolTopic>();
  private readonly expiry: NodeJS.Timeout;

  private constructor(
    private readonly pool: Pool,
    private readonly logger: BusLogger,
  ) {
    this.expiry = setInterval(() => void this.expire(), EXPIRE_EVERY_MS);
    this.expiry.unref();
  }

  static async open(url: string, logger: BusLogger): Promise<Spool> {
    const pool = new Pool({ connectionString: url, max: CONNECTIONS_MAX, application_name: 'mledger-bus' });
    // Without a listener, a connection that breaks while idle would end the process.
    pool.on('error', (error) => logger.warn({ error: errorText(error) }, 'the spool lost a connection to Postgres'));
    try {
      await pool.query(`begin; select pg_advisory_xact_lock(${CREATE_LOCK}); ${CREATE_SPOOL} commit`);
    } catch (error) {
      await pool.end();
      throw error;
    }
    return new Spool(pool, logger);
  }

  async ensureTopic(topic: string, retentionMs: number): Promise<void> {
    await this.pool.query(ENSURE_TOPIC, [topic, retentionMs]);
  }

  topic(topic: string): SpoolTopic {
    let source = this.topics.get(topic);
    if (!source) this.topics.set(topic, (source = new SpoolTopic(this.pool, topic)));
    return source;
  }

  /** Removes what is older than its topic's retention, read or not, as Kafka does. */
  async expire(): Promise<void> {
    try {
      await this.pool.query(EXPIRE);
    } catch (error) {
      this.logger.warn({ error: errorText(error) }, 'could not remove expired messages from the spool, will try again');
    }
  }

  async close(): Promise<void> {
    clearInterval(this.expiry);
    for (const topic of this.topics.values()) await topic.idle();
    await this.pool.end();
  }
}

export class SpoolTopic implements TopicSource {
  private readonly queue = new SendQueue((messages) => this.append(messages));
  private readonly waiters = new Waiters();
  private end = 0;

  constructor(
    private readonly pool: Pool,
    private readonly topic: string,
  ) {}

  publish(messages: readonly BusMessage[]): Promise<void> {
    return this.queue.push(messages);
  }

  idle(): Promise<void> {
    return this.queue.idle();
  }

  knownEnd(): number {
    return this.end;
  }

  async range(): Promise<{ low: number; high: number }> {
    const { rows } = await this.pool.query<{ low: string; high: string }>(RANGE, [this.topic]);
    if (!rows[0]) throw unknownTopic(this.topic);
    this.advance(Number(rows[0].high));
    return { low: Number(rows[0].low), high: Number(rows[0].high) };
  }

  async read(from: number, messagesMax: number): Promise<ReceivedMessage[]> {
    const { rows } = await this.pool.query<{
      position: string;
      key: string;
      headers: Record<string, string>;
      value: Buffer;
    }>(READ, [this.topic, from, messagesMax, READ_BYTES_MAX]);
    return rows.map(({ position, ...message }) => ({
      ...message,
      topic: this.topic,
      partition: IN_PROCESS_PARTITION,
      offset: position,
    }));
  }

  reached(position: number, signal: AbortSignal): Promise<void> {
    return this.waiters.wait(() => this.end > position, signal);
  }

  private async append(messages: readonly BusMessage[]): Promise<void> {
    const { rows } = await this.pool.query<{ next: string }>({
      // Named, so that it is planned once a connection: that took a millisecond of the four that a lone prediction took.
      name: 'spool-append',
      text: APPEND,
      values: [
        this.topic,
        messages.map(({ key }) => key),
        messages.map(({ headers }) => JSON.stringify(headers)),
        messages.map(({ value }) => value),
      ],
    });
    if (!rows[0]) throw unknownTopic(this.topic);
    this.advance(Number(rows[0].next));
  }

  private advance(end: number): void {
    if (end <= this.end) return;
    this.end = end;
    this.waiters.wake();
  }
}

function unknownTopic(topic: string): Error {
  return new Error(`topic ${topic} does not exist: make it with ensureTopics first`);
}
