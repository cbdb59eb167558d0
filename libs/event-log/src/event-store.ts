import { type AsOf } from './as-of';
import {
  CommandHandler,
  type AnyTarget,
  type CommandContext,
  type Handled,
  type HandleOptions,
  type Target,
} from './command-handler';
import type { Decider } from './decider';
import type { NewEvent, Recorded, Sequenced } from './event';
import { GroupCommit } from './group-commit';
import type { LogCore } from './log-core';
import { readHead, readLogPage, replay } from './log-reader';
import { StreamCache } from './stream-cache';
import { foldStream, readStreamPage } from './stream-reader';

/** Rows a single read returns at most; more are read page by page. */
export const READ_EVENTS_MAX = 10_000;

type HandledEach<T extends readonly AnyTarget[]> = {
  [I in keyof T]: T[I] extends { decider: Decider<infer S, infer _C, infer E> } ? Handled<S, E> : never;
};

/** The one door to a service's log. */
export class EventStore {
  private readonly cache = new StreamCache();
  private readonly commands: CommandHandler;
  private readonly blind: GroupCommit;

  constructor(
    private readonly core: LogCore,
    options: { flushesMax: number },
  ) {
    this.commands = new CommandHandler(core, this.cache);
    this.blind = new GroupCommit(core, options.flushesMax);
  }

  /**
   * Loads a stream, decides, appends, and projects inline, in one transaction; on a conflict decides again, three times.
   *
   * @throws CommandRefused when the decider refuses, a limit is exceeded or an idempotency key is reused;
   *   VersionConflict when `expectedVersion` does not hold.
   */
  async handle<S, C, E extends NewEvent>(
    target: Target<S, C, E>,
    context: CommandContext,
    options: HandleOptions = {},
  ): Promise<Handled<S, E>> {
    const [handled] = await this.commands.handle([target as AnyTarget], context, options);
    return handled as Handled<S, E>;
  }

  /** The same for several streams: all of their events, or none. The result is in the targets' order. */
  async handleAll<const T extends readonly AnyTarget[]>(
    targets: T,
    context: CommandContext,
    options: HandleOptions = {},
  ): Promise<HandledEach<T>> {
    return (await this.commands.handle(targets, context, options)) as HandledEach<T>;
  }

  /**
   * Appends without a decision, at whatever version the stream has, sharing one commit with other callers. Resolves after the
   * commit. With a `commandId` it is a command of its own instead: not shared, and not repeated.
   */
  async appendBlind(
    stream: string,
    events: readonly NewEvent[],
    context: CommandContext,
  ): Promise<{ version: number }> {
    if (context.commandId === undefined) return this.blind.append(stream, events, context);
    const { version } = await this.handle({ decider: blindDecider, stream, command: events }, context);
    return { version };
  }

  /** The aggregate now or at a moment in the past; version 0 and the decider's initial state when there was no stream. */
  async load<S, C, E extends NewEvent>(
    decider: Decider<S, C, E>,
    stream: string,
    at?: AsOf,
  ): Promise<{ state: S; version: number }> {
    if (at) return foldStream(this.core, this.core.pool, decider, stream, { at });
    const anyDecider = decider as AnyTarget['decider'];
    const folded = await foldStream(this.core, this.core.pool, decider, stream, {
      start: this.cache.get(anyDecider, stream),
    });
    if (folded.version > 0) this.cache.set(anyDecider, stream, folded);
    return folded;
  }

  /** Events of a stream in order, at most `limit` (10,000), fewer when they are large; none at its end. */
  async readStream(
    stream: string,
    { fromVersion = 1, limit = READ_EVENTS_MAX, at }: { fromVersion?: number; limit?: number; at?: AsOf } = {},
  ): Promise<Recorded[]> {
    const { events } = await readStreamPage(this.core, this.core.pool, stream, {
      afterVersion: fromVersion - 1,
      toVersion: Number.MAX_SAFE_INTEGER,
      limit: Math.min(limit, READ_EVENTS_MAX),
      at,
    });
    return events;
  }

  /** Events of the whole service in public order, after `afterSeq`, at most `limit` (10,000), fewer when they are large; none at the head. */
  async readLog(options: { afterSeq: number; limit: number; types?: readonly string[] }): Promise<Sequenced[]> {
    const terms = { ...options, limit: Math.min(options.limit, READ_EVENTS_MAX) };
    return (await readLogPage(this.core, this.core.pool, terms)).events;
  }

  /** Reads the log from a position on to its head, page by page and ahead of the caller: the way to read all of it. */
  replay(options: { afterSeq?: number; types?: readonly string[] } = {}): AsyncGenerator<Sequenced[], number, void> {
    return replay(this.core, this.core.pool, { afterSeq: options.afterSeq ?? 0, types: options.types });
  }

  /** The greatest seq; 0 for an empty log. */
  head(): Promise<number> {
    return readHead(this.core.pool);
  }

  /** Resolves when every blind append under way has been answered. */
  drain(): Promise<void> {
    return this.blind.drain();
  }
}

/** Lets a blind append with an idempotency key go the way of a command. */
const blindDecider: Decider<null, readonly NewEvent[], NewEvent> = {
  kind: 'blind',
  initial: null,
  decide: (_state, events) => ({ events }),
  evolve: () => null,
};
