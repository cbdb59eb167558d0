import type { PoolClient } from 'pg';
import {
  appendEvents,
  prepareEvents,
  prepareMeta,
  type AppendedTo,
  type InlineGuard,
  type PreparedEvent,
  type PreparedMeta,
} from './append';
import type { CommandContext } from './command-handler';
import { inTransaction, withConnection } from './connections';
import { sqlState } from './errors';
import type { NewEvent, Recorded } from './event';
import { inlineFor, projectInline } from './inline-projections';
import { appendedTopic, type LogCore } from './log-core';
import { streamLock } from './open-command';
import { recordedNow } from './recorded';

const BATCH_EVENTS_MAX = 256;
/** Smaller ones are not worth a transaction of their own while there is another to join. */
const BATCH_EVENTS_MIN = 32;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;

interface Waiting {
  readonly stream: string;
  readonly events: PreparedEvent[];
  readonly bytes: number;
  readonly context: CommandContext;
  readonly meta: PreparedMeta;
  resolve(appended: { version: number }): void;
  reject(error: unknown): void;
}

/** The appends of one stream in a batch; they stand or fall together with nobody else's. */
interface StreamGroup {
  readonly stream: string;
  readonly lock: bigint;
  readonly waiting: Waiting[];
}

/**
 * Gathers appends that decide nothing (metrics) into one transaction: the fsync is shared by all. Callers are answered after the
 * commit. A stream whose append fails is tried again alone, so that its neighbours do not fail with it.
 */
export class GroupCommit {
  private queue: Waiting[] = [];
  private queuedBytes = 0;
  private queuedEvents = 0;
  private scheduled = false;
  private flushing = 0;
  private readonly busyStreams = new Set<string>();
  private idle: (() => void)[] = [];

  constructor(
    private readonly core: LogCore,
    private readonly flushesMax: number,
  ) {}

  /** Resolves with the version of the last event once it is committed. */
  append(stream: string, events: readonly NewEvent[], context: CommandContext): Promise<{ version: number }> {
    const prepared = prepareEvents(this.core.catalog, events);
    if (prepared.length === 0) throw new Error('appendBlind needs at least one event');
    const meta = prepareMeta(context);
    const bytes = prepared.reduce((sum, { text }) => sum + text.length, 0);
    return new Promise((resolve, reject) => {
      this.queue.push({ stream, events: prepared, bytes, context, meta, resolve, reject });
      this.queuedBytes += bytes;
      this.queuedEvents += prepared.length;
      this.flushSoon();
    });
  }

  /** Resolves when everything queued has been answered. */
  async drain(): Promise<void> {
    while (this.queue.length > 0 || this.flushing > 0) {
      await new Promise<void>((resolve) => this.idle.push(resolve));
    }
  }

  /** At the end of the event loop's turn, so that all who append in this turn are together. */
  private flushSoon(): void {
    if (this.scheduled || this.queue.length === 0 || this.flushing >= this.flushesMax) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  /**
   * Nobody waits for company: while the flushes under way take their time, the next batch gathers by itself. What is there is shared
   * among the free flushes, so that Node prepares one while Postgres works on another.
   */
  private flush(): void {
    const free = this.flushesMax - this.flushing;
    const share = Math.min(BATCH_EVENTS_MAX, Math.max(BATCH_EVENTS_MIN, Math.ceil(this.queuedEvents / free)));
    for (let flushes = 0; flushes < free && this.queue.length > 0; flushes += 1) {
      const groups = this.takeBatch(share);
      if (groups.length === 0) return;
      this.flushing += 1;
      for (const { stream } of groups) this.busyStreams.add(stream);
      void this.commitOrSplit(groups).then(() => this.flushed(groups));
    }
  }

  private flushed(groups: readonly StreamGroup[]): void {
    this.flushing -= 1;
    for (const { stream } of groups) this.busyStreams.delete(stream);
    this.flushSoon();
    if (this.flushing === 0 && this.queue.length === 0) this.idle.splice(0).forEach((resolve) => resolve());
  }

  /** The oldest appends up to the limits, by stream in lock order; those whose stream is being flushed stay. */
  private takeBatch(eventsMax: number): StreamGroup[] {
    const groups = new Map<string, StreamGroup>();
    const left: Waiting[] = [];
    let events = 0;
    let bytes = 0;
    const heldStreams = new Set(this.busyStreams);
    for (const waiting of this.queue) {
      const full =
        events > 0 && (events + waiting.events.length > eventsMax || bytes + waiting.bytes > BATCH_BYTES_MAX);
      if (full || heldStreams.has(waiting.stream)) {
        // Nor may a later append to the stream overtake this one.
        heldStreams.add(waiting.stream);
        left.push(waiting);
        continue;
      }
      events += waiting.events.length;
      bytes += waiting.bytes;
      const { stream } = waiting;
      const group = groups.get(stream) ?? { stream, lock: streamLock(this.core.service, stream), waiting: [] };
      group.waiting.push(waiting);
      groups.set(stream, group);
    }
    this.queue = left;
    this.queuedEvents -= events;
    this.queuedBytes -= bytes;
    return [...groups.values()].sort((a, b) => (a.lock < b.lock ? -1 : 1));
  }

  private async commitOrSplit(groups: StreamGroup[]): Promise<void> {
    try {
      const heads = await this.commit(groups);
      groups.forEach((group, index) => answer(group, heads[index]!));
      this.core.bell.ring(appendedTopic(this.core.service));
    } catch (error) {
      if (groups.length === 1 || !isKnownNotStored(error)) {
        const reason = error instanceof NotStored ? error.cause : error;
        for (const { waiting } of groups) waiting.forEach(({ reject }) => reject(reason));
        return;
      }
      const middle = Math.ceil(groups.length / 2);
      await this.commitOrSplit(groups.slice(0, middle));
      await this.commitOrSplit(groups.slice(middle));
    }
  }

  private async commit(groups: readonly StreamGroup[]): Promise<AppendedTo[]> {
    const { projections, guard } = inlineFor(
      this.core,
      groups.flatMap(({ waiting }) => waiting.flatMap(({ events }) => events.map(({ type }) => type))),
    );
    return withConnection(this.core.pool, (client) => {
      // One statement is its own transaction; only projections make it worth two more round trips.
      if (projections.length === 0) return appendGroups(client, groups, guard);
      return inTransaction(client, async () => {
        const heads = await appendGroups(client, groups, guard);
        const events = groups.flatMap((group, index) => recordedOf(this.core.service, group, heads[index]!));
        await projectInline(this.core, client, projections, events).catch((error: unknown) => {
          throw new NotStored(error);
        });
        return heads;
      });
    });
  }
}

/** The transaction failed before its commit was sent. */
class NotStored extends Error {
  constructor(override readonly cause: unknown) {
    super('nothing was stored');
  }
}

/** What Postgres refused, or what failed before the commit was sent. After a lost connection nobody knows. */
function isKnownNotStored(error: unknown): boolean {
  const state = sqlState(error instanceof NotStored ? error.cause : error);
  if (state === undefined) return error instanceof NotStored;
  return !state.startsWith('08') && !state.startsWith('57');
}

function appendGroups(client: PoolClient, groups: readonly StreamGroup[], inline: InlineGuard): Promise<AppendedTo[]> {
  const appends = groups.map(({ stream, waiting }) => ({
    stream,
    parts: waiting,
  }));
  return appendEvents(client, appends, { lockKeys: groups.map(({ lock }) => lock), inline });
}

/** Tells each caller the version of its own last event. */
function answer({ waiting }: StreamGroup, head: AppendedTo): void {
  let version = head.version - countEvents(waiting);
  for (const { events, resolve } of waiting) {
    version += events.length;
    resolve({ version });
  }
}

function recordedOf(service: string, { stream, waiting }: StreamGroup, head: AppendedTo): Recorded[] {
  let version = head.version - countEvents(waiting);
  return waiting.flatMap(({ events, context }) =>
    events.map(({ type, schema, text }) => {
      version += 1;
      const stored = { type, schema, data: JSON.parse(text) as object };
      return recordedNow(service, stored, { stream, version, time: head.time }, context);
    }),
  );
}

function countEvents(waiting: readonly Waiting[]): number {
  return waiting.reduce((sum, { events }) => sum + events.length, 0);
}
