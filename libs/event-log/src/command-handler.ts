import type { PoolClient } from 'pg';
import type { EntityManager } from 'typeorm';
import { appendEvents, prepareEvents, type PreparedEvent } from './append';
import { connectionOf } from './database';
import { CommandRefused, VersionConflict, type Decider } from './decider';
import { sqlState } from './errors';
import type { EventMeta, NewEvent, Recorded } from './event';
import { inlineFor, projectInline } from './inline-projections';
import type { LogCore } from './log-core';
import { openCommand, type StoredResult } from './open-command';
import { ringAfterCommit } from './ring-after-commit';
import { recordedNow } from './recorded';
import type { CachedState, StreamCache } from './stream-cache';

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
  constructor(
    private readonly core: LogCore,
    private readonly cache: StreamCache,
  ) {}

  async handle(targets: readonly AnyTarget[], context: CommandContext, options: HandleOptions): Promise<Handled[]> {
    if (targets.length === 0 || targets.length > TARGETS_MAX)
      throw new Error(`1 to ${TARGETS_MAX} targets, not ${targets.length}`);
    if (new Set(targets.map(({ stream }) => stream)).size < targets.length) throw new Error('a stream is named twice');
    const { transaction } = options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        if (transaction) return await this.attempt(transaction, targets, context, options);
        return await this.inTransaction(targets, context, options);
      } catch (error) {
        if (!isConflict(error)) throw error;
        for (const { stream } of targets) this.cache.delete(stream);
        if (transaction || attempt >= TRIES_MAX || context.expectedVersion !== undefined) throw error;
      }
    }
  }

  private async inTransaction(
    targets: readonly AnyTarget[],
    context: CommandContext,
    options: HandleOptions,
  ): Promise<Handled[]> {
    const runner = this.core.dataSource.createQueryRunner();
    try {
      await runner.startTransaction();
      let handled: Handled[];
      try {
        handled = await this.attempt(runner.manager, targets, context, options);
      } catch (error) {
        // A connection that broke cannot roll back, and need not.
        await runner.rollbackTransaction().catch(() => undefined);
        throw error;
      }
      await runner.commitTransaction();
      this.remember(targets, handled);
      return handled;
    } finally {
      await runner.release();
    }
  }

  private async attempt(
    manager: EntityManager,
    targets: readonly AnyTarget[],
    context: CommandContext,
    options: HandleOptions,
  ): Promise<Handled[]> {
    const client = await connectionOf(manager);
    const starts = targets.map(({ decider, stream }) => this.cache.get(decider, stream));
    // Loaded before the first write, or stream order can invert: a write takes the transaction's id.
    const opened = await openCommand(this.core, client, targets, starts, context);
    if ('replayed' in opened) return opened.replayed;
    const decided = targets.map((target, index) =>
      this.decide(target, opened.states[index]!, index === 0 ? context.expectedVersion : undefined),
    );
    const handled = await this.append(client, decided, context);
    await options.within?.(manager, handled);
    if (handled.some(({ events }) => events.length > 0)) ringAfterCommit(manager);
    return handled;
  }

  private decide(target: AnyTarget, { state, version }: CachedState, expectedVersion: number | undefined): Decided {
    const { decider, stream, command } = target;
    if (expectedVersion !== undefined && expectedVersion !== version) {
      throw new VersionConflict(stream, expectedVersion, version);
    }
    const decision = decider.decide(state, command);
    if ('refusal' in decision) throw new CommandRefused(decision.refusal);
    const prepared = prepareEvents(this.core.catalog, decision.events);
    return { target, version, state, newEvents: decision.events, prepared };
  }

  private async append(client: PoolClient, decided: readonly Decided[], context: CommandContext): Promise<Handled[]> {
    const writing = decided.filter(({ prepared }) => prepared.length > 0);
    const { projections, guard } = inlineFor(
      this.core,
      writing.flatMap(({ prepared }) => prepared.map(({ type }) => type)),
    );
    const result: StoredResult[] = decided.map(({ target, version, prepared }) => ({
      stream: target.stream,
      from: version,
      to: version + prepared.length,
    }));
    const command = context.commandId !== undefined && {
      command: { id: context.commandId, requestHash: context.requestHash ?? '', result: JSON.stringify(result) },
    };
    const appends = writing.map(({ target, version, prepared }) => ({
      stream: target.stream,
      expectedVersion: version,
      parts: [{ events: prepared, meta: context }],
    }));
    const heads =
      appends.length > 0 || command ? await appendEvents(client, appends, { ...command, inline: guard }) : [];
    const handled = decided.map((one) => evolved(this.core.service, one, heads[writing.indexOf(one)]?.time, context));
    await projectInline(
      this.core,
      client,
      projections,
      handled.flatMap(({ events }) => events),
    );
    return handled;
  }

  private remember(targets: readonly AnyTarget[], handled: readonly Handled[]): void {
    if (handled.some(({ replayed }) => replayed)) return;
    handled.forEach(({ state, version }, index) => {
      const { decider, stream } = targets[index]!;
      this.cache.set(decider, stream, { state, version });
    });
  }
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
