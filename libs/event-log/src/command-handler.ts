import type { PoolClient } from 'pg';
import type { EntityManager } from 'typeorm';
import { appendEvents, prepareEvents, prepareMeta, type PreparedEvent } from './append';
import { inTransaction, withConnection } from './connections';
import { connectionOf } from './database';
import { CommandRefused, VersionConflict, type Decider } from './decider';
import { sqlState } from './errors';
import type { EventMeta, NewEvent, Recorded } from './event';
import { inlineFor, projectInline } from './inline-projections';
import { appendedTopic, type LogCore } from './log-core';
import { openCommand, streamLocks, type StoredResult } from './open-command';
import { ringAfterCommit } from './ring-after-commit';
import { recordedNow } from './recorded';
import type { CachedState, StreamCache } from './stream-cache';
import { StreamTurns } from './stream-turns';

/** One try and three more, each deciding anew. */
const TRIES_MAX = 4;
/** A command that touches more streams is several commands. */
export const TARGETS_MAX = 100;

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK = '40P01';
const UNIQUE_VIOLATION = '23505';
const OWN_KEYS = ['commands_pkey', 'events_stream_version', 'streams_pkey'];

export interface CommandContext extends EventMeta {
  /** With an id a repeat changes nothing and gets the first answer, for seven days. A refused command is not remembered. */
  commandId?: string;
  /** Of what was asked: the same id with another hash is refused as a mistake. */
  requestHash?: string;
  /** What the client named (If-Match): the version of the first target's stream; 0 for none. Never retried. */
  expectedVersion?: number;
}

export interface Target<S, C, E extends NewEvent> {
  decider: Decider<S, C, E>;
  stream: string;
  command: C;
}
export type AnyTarget = Target<unknown, unknown, NewEvent>;

export interface Handled<S = unknown, E extends NewEvent = NewEvent> {
  state: S;
  version: number;
  events: Recorded<E>[];
  /** Nothing was done: this is the answer that the same command got before. */
  replayed: boolean;
}

export interface HandleOptions {
  /**
   * Joins this transaction (read committed) instead of opening one; it must not have written yet, and the caller repeats the
   * whole of it on 40001, 40P01 and 23505.
   */
  transaction?: EntityManager;
  /** Writes working state in the same transaction, after the events. Not called for a repeat. */
  within?: (manager: EntityManager, handled: Handled[]) => Promise<void>;
}

interface Decided {
  target: AnyTarget;
  version: number;
  state: unknown;
  newEvents: readonly NewEvent[];
  prepared: PreparedEvent[];
}

/** Decides commands on one or several streams and appends what follows from them: all or nothing. */
export class CommandHandler {
  private readonly turns = new StreamTurns();

  constructor(
    private readonly core: LogCore,
    private readonly cache: StreamCache,
  ) {}

  async handle(targets: readonly AnyTarget[], context: CommandContext, options: HandleOptions): Promise<Handled[]> {
    if (targets.length === 0 || targets.length > TARGETS_MAX) {
      throw new Error(`1 to ${TARGETS_MAX} targets, not ${targets.length}`);
    }
    const streams = targets.map(({ stream }) => stream);
    if (new Set(streams).size < streams.length) throw new Error('a stream is named twice');
    const work = () => this.untilDecided(targets, context, options);
    // A transaction that is open holds locks already, which whoever has the turn may wait for.
    return options.transaction ? work() : this.turns.take(streams, work);
  }

  private async untilDecided(
    targets: readonly AnyTarget[],
    context: CommandContext,
    options: HandleOptions,
  ): Promise<Handled[]> {
    const { transaction } = options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        if (transaction) return await this.locked(transaction, targets, context, options);
        // Most streams have one writer at a time. A version that the client named is held against the locked stream alone.
        const first = attempt === 1 && context.expectedVersion === undefined;
        return await (first
          ? this.optimistic(targets, context, options)
          : this.inTransaction(targets, context, options));
      } catch (error) {
        if (!isConflict(error)) throw error;
        for (const { stream } of targets) this.cache.delete(stream);
        if (transaction || attempt >= TRIES_MAX || context.expectedVersion !== undefined) throw error;
      }
    }
  }

  /**
   * Decides on what was read, or is remembered, without a lock: the append takes the locks and holds the versions against the streams.
   * One round trip for a stream that is remembered, where nothing is projected.
   */
  private async optimistic(
    targets: readonly AnyTarget[],
    context: CommandContext,
    options: HandleOptions,
  ): Promise<Handled[]> {
    const remembered = context.commandId === undefined ? this.decideFromMemory(targets) : undefined;
    const decided = remembered ?? (await this.readAndDecide(targets, context));
    if ('replayed' in decided) return decided.replayed;
    // A stream that was only looked at has no version held against it: it has to stay locked from the look to the commit.
    const writing = decided.filter(({ prepared }) => prepared.length > 0).length;
    if (writing > 0 && writing < targets.length) return this.inTransaction(targets, context, options);
    const lockKeys = streamLocks(this.core.service, targets);
    const { within } = options;
    const handled = await (within
      ? this.onRunner(async (manager) => {
          const appended = await this.append(await connectionOf(manager), decided, context, lockKeys);
          await within(manager, appended);
          return appended;
        })
      : withConnection(this.core.pool, (client) => this.append(client, decided, context, lockKeys, 'own')));
    this.remember(targets, handled);
    if (handled.some(({ events }) => events.length > 0)) this.core.bell.ring(appendedTopic(this.core.service));
    return handled;
  }

  /** A no from memory may be out of date, so it is none; a yes is held against the stream when it is appended. */
  private decideFromMemory(targets: readonly AnyTarget[]): Decided[] | undefined {
    const decided: Decided[] = [];
    for (const target of targets) {
      const state = this.cache.get(target.decider, target.stream);
      const decision = state && target.decider.decide(state.state, target.command);
      if (!decision || 'refusal' in decision || decision.events.length === 0) return undefined;
      decided.push(this.prepare(target, state, decision.events));
    }
    return decided;
  }

  private async readAndDecide(
    targets: readonly AnyTarget[],
    context: CommandContext,
  ): Promise<Decided[] | { replayed: Handled[] }> {
    const opened = await withConnection(this.core.pool, (client) =>
      openCommand(this.core, client, { targets, starts: this.starts(targets), lockKeys: [] }, context),
    );
    return 'replayed' in opened ? opened : this.decideAll(targets, opened.states, context);
  }

  private async inTransaction(
    targets: readonly AnyTarget[],
    context: CommandContext,
    options: HandleOptions,
  ): Promise<Handled[]> {
    const handled = await this.onRunner((manager) => this.locked(manager, targets, context, options));
    this.remember(targets, handled);
    return handled;
  }

  /** Locks, reads, decides, appends: in the one transaction of the manager, which rings when it is committed. */
  private async locked(
    manager: EntityManager,
    targets: readonly AnyTarget[],
    context: CommandContext,
    options: HandleOptions,
  ): Promise<Handled[]> {
    const client = await connectionOf(manager);
    const lockKeys = streamLocks(this.core.service, targets);
    // Loaded before the first write, or stream order can invert: a write takes the transaction's id.
    const opened = await openCommand(this.core, client, { targets, starts: this.starts(targets), lockKeys }, context);
    if ('replayed' in opened) return opened.replayed;
    const handled = await this.append(client, this.decideAll(targets, opened.states, context), context, []);
    await options.within?.(manager, handled);
    if (handled.some(({ events }) => events.length > 0)) ringAfterCommit(manager);
    return handled;
  }

  private async onRunner<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const runner = this.core.dataSource.createQueryRunner();
    try {
      await runner.startTransaction();
      let result: T;
      try {
        result = await work(runner.manager);
      } catch (error) {
        // A connection that broke cannot roll back, and need not.
        await runner.rollbackTransaction().catch(() => undefined);
        throw error;
      }
      await runner.commitTransaction();
      return result;
    } finally {
      await runner.release();
    }
  }

  private starts(targets: readonly AnyTarget[]): (CachedState | undefined)[] {
    return targets.map(({ decider, stream }) => this.cache.get(decider, stream));
  }

  private decideAll(
    targets: readonly AnyTarget[],
    states: readonly CachedState[],
    { expectedVersion }: CommandContext,
  ): Decided[] {
    return targets.map((target, index) => {
      const state = states[index]!;
      if (index === 0 && expectedVersion !== undefined && expectedVersion !== state.version) {
        throw new VersionConflict(target.stream, expectedVersion, state.version);
      }
      const decision = target.decider.decide(state.state, target.command);
      if ('refusal' in decision) throw new CommandRefused(decision.refusal);
      return this.prepare(target, state, decision.events);
    });
  }

  private prepare(target: AnyTarget, { state, version }: CachedState, newEvents: readonly NewEvent[]): Decided {
    return { target, version, state, newEvents, prepared: prepareEvents(this.core.catalog, newEvents) };
  }

  /** `own`: the connection is in no transaction; one is begun where one statement is not all. */
  private async append(
    client: PoolClient,
    decided: readonly Decided[],
    context: CommandContext,
    lockKeys: readonly bigint[],
    transaction: 'callers' | 'own' = 'callers',
  ): Promise<Handled[]> {
    const writing = decided.filter(({ prepared }) => prepared.length > 0);
    const { projections, guard } = inlineFor(
      this.core,
      writing.flatMap(({ prepared }) => prepared.map(({ type }) => type)),
    );
    const command = commandOf(decided, context);
    const meta = prepareMeta(context);
    const appends = writing.map(({ target, version, prepared }) => ({
      stream: target.stream,
      expectedVersion: version,
      parts: [{ events: prepared, meta }],
    }));
    const write = async () => {
      const nothing = appends.length === 0 && !command;
      const heads = nothing ? [] : await appendEvents(client, appends, { lockKeys, command, inline: guard });
      const handled = decided.map((one) => evolved(this.core.service, one, heads[writing.indexOf(one)]?.time, context));
      const events = handled.flatMap((one) => one.events);
      await projectInline(this.core, client, projections, events);
      return handled;
    };
    return transaction === 'own' && projections.length > 0 ? inTransaction(client, write) : write();
  }

  private remember(targets: readonly AnyTarget[], handled: readonly Handled[]): void {
    if (handled.some(({ replayed }) => replayed)) return;
    handled.forEach(({ state, version }, index) => {
      const { decider, stream } = targets[index]!;
      this.cache.set(decider, stream, { state, version });
    });
  }
}

/** What a repeat of the command will be answered from. */
function commandOf(decided: readonly Decided[], { commandId, requestHash = '' }: CommandContext) {
  if (commandId === undefined) return undefined;
  const result: StoredResult[] = decided.map(({ target, version, prepared }) => ({
    stream: target.stream,
    from: version,
    to: version + prepared.length,
  }));
  return { id: commandId, requestHash, result: JSON.stringify(result) };
}

function evolved(service: string, decided: Decided, time: string | undefined, context: CommandContext): Handled {
  const { target, newEvents, prepared } = decided;
  let { state, version } = decided;
  const events = newEvents.map((event, index) => {
    const { schema, text } = prepared[index]!;
    version += 1;
    // Read back from what was stored, so that a replay folds the very same data.
    const stored = { type: event.type, schema, data: JSON.parse(text) as object };
    const recorded = recordedNow(service, stored, { stream: target.stream, version, time: time! }, context);
    state = target.decider.evolve(state, recorded);
    return recorded;
  });
  return { state, version, events, replayed: false };
}

/** Another transaction was faster: what was decided upon no longer holds, and the decision is worth another try. */
function isConflict(error: unknown): boolean {
  const state = sqlState(error);
  if (state === SERIALIZATION_FAILURE || state === DEADLOCK) return true;
  if (state !== UNIQUE_VIOLATION) return false;
  const { constraint, driverError } = error as { constraint?: string; driverError?: { constraint?: string } };
  return OWN_KEYS.includes(constraint ?? driverError?.constraint ?? '');
}
