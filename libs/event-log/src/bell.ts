import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

const CHANNEL = 'mledger';
/** At most one NOTIFY in this time: each takes a lock over the whole cluster. The first after a silence goes at once. */
const RING_INTERVAL_MS = 20;
const RECONNECT_MS = 1_000;

type Listener = () => void;

/**
 * Wakes whoever waits for news of a service's log: at once in this process, by NOTIFY in others. One connection a process and
 * database, for listening and for notifying, shared by all its logs. A lost ring costs the listener one poll.
 */
export class Bell {
  private static readonly shared = new Map<string, Bell>();
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly pending = new Set<string>();
  /** Postgres echoes our own NOTIFYs; this tells them apart. */
  private readonly self = randomBytes(8).toString('hex');
  private users = 0;
  private notifiedAt = Number.NEGATIVE_INFINITY;
  private client: Client | undefined;
  private connecting: Promise<void> | undefined;
  private ringTimer: NodeJS.Timeout | undefined;
  private reconnectTimer: NodeJS.Timeout | undefined;
  private closed = false;

  private constructor(private readonly url: string) {}

  /** The process' bell for a database; each caller closes it once. */
  static async of(url: string): Promise<Bell> {
    let bell = Bell.shared.get(url);
    if (!bell) {
      bell = new Bell(url);
      Bell.shared.set(url, bell);
    }
    bell.users += 1;
    try {
      await bell.connect();
    } catch (error) {
      // Else it would go on trying for nobody, and hand its first failure to whoever comes later.
      await bell.close();
      throw error;
    }
    return bell;
  }

  /** Calls back on each ring of the topic, until the returned function is called. */
  on(topic: string, listener: Listener): () => void {
    const listeners = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** To be called after commit. */
  ring(topic: string): void {
    this.wake(topic);
    this.pending.add(topic);
    this.notifySoon();
  }

  async close(): Promise<void> {
    this.users -= 1;
    if (this.users > 0) return;
    this.closed = true;
    Bell.shared.delete(this.url);
    clearTimeout(this.ringTimer);
    clearTimeout(this.reconnectTimer);
    await this.connecting?.catch(() => undefined);
    await this.client?.end().catch(() => undefined);
  }

  /** Wakes the listeners of this process alone: for news that another process rang for. */
  wake(topic: string): void {
    for (const listener of this.listeners.get(topic) ?? []) listener();
  }

  private notifySoon(): void {
    if (this.pending.size === 0 || this.ringTimer) return;
    const waitMs = Math.max(0, this.notifiedAt + RING_INTERVAL_MS - performance.now());
    this.ringTimer = setTimeout(() => void this.notify(), waitMs);
  }

  private async notify(): Promise<void> {
    this.notifiedAt = performance.now();
    const payload = `${this.self} ${[...this.pending].join(' ')}`;
    this.pending.clear();
    // A ring that cannot be sent is as good as one that was lost: the listeners poll.
    await this.client?.query('select pg_notify($1, $2)', [CHANNEL, payload]).catch(() => undefined);
    this.ringTimer = undefined;
    if (!this.closed) this.notifySoon();
  }

  private connect(): Promise<void> {
    this.connecting ??= this.openConnection();
    return this.connecting;
  }

  private async openConnection(): Promise<void> {
    const client = new Client({
      connectionString: this.url,
      application_name: 'mledger bell',
      // A NOTIFY is a transaction, and need not wait for the disk: what it tells of is there already.
      options: '-c synchronous_commit=off',
    });
    client.on('notification', ({ payload = '' }) => {
      const [sender, ...topics] = payload.split(' ');
      if (sender !== this.self) topics.forEach((topic) => this.wake(topic));
    });
    client.on('error', () => this.reconnectLater());
    client.on('end', () => this.reconnectLater());
    await client.connect();
    await client.query(`listen ${CHANNEL}`);
    this.client = client;
  }

  private reconnectLater(): void {
    this.client = undefined;
    if (this.closed || this.reconnectTimer) return;
    this.reconnectTimer = setTimeout(() => {
      this.reconnectTimer = undefined;
      if (this.closed) return;
      this.connecting = this.openConnection().catch(() => this.reconnectLater());
    }, RECONNECT_MS);
  }
}
