import type { PoolClient } from 'pg';
import { int8Array, textArray } from './binary-array';
import type { AnyTarget, CommandContext, Handled } from './command-handler';
import { CommandRefused } from './decider';
import type { Recorded } from './event';
import { lockKey } from './ids';
import type { LogCore } from './log-core';
import { isFull } from './page';
import { readRecorded } from './recorded';
import type { CachedState } from './stream-cache';
import { foldStream, type StreamPage } from './stream-reader';

const PAGE_EVENTS = 1_000;

/** What is kept of a command that was accepted: enough to answer its repeat from the streams themselves. */
export interface StoredResult {
  readonly stream: string;
  readonly from: number;
  readonly to: number;
}

/** The present state of each target, in the targets' order; or, for a repeated command, its first answer. */
export type OpenedCommand = { readonly states: readonly CachedState[] } | { readonly replayed: Handled[] };

/** Target 0 is the command, when it was answered before: the hash of its request and its result. */
type OpenRow = [target: number, json: string, bytesUpTo: number | null];

export interface ToOpen {
  readonly targets: readonly AnyTarget[];
  /** What is remembered of each target's stream. */
  readonly starts: readonly (CachedState | undefined)[];
  /** Held until the transaction ends. */
  readonly lockKeys: readonly bigint[];
}

/** Locks a command's streams and reads what came after the remembered states. */
export async function openCommand(
  core: LogCore,
  client: PoolClient,
  { targets, starts, lockKeys }: ToOpen,
  context: CommandContext,
): Promise<OpenedCommand> {
  const { rows } = await client.query<OpenRow>({
    name: 'mledger_open_command',
    text: 'select * from open_command($1, $2, $3, $4, $5)',
    rowMode: 'array',
    values: [
      int8Array(lockKeys),
      context.commandId ?? null,
      textArray(targets.map(({ stream }) => stream)),
      int8Array(starts.map((start) => BigInt(start?.version ?? 0))),
      PAGE_EVENTS,
    ],
  });
  const [first] = rows;
  if (first?.[0] === 0) return { replayed: await repeat(core, client, targets, first[1], context) };
  const states: CachedState[] = [];
  for (const [index, target] of targets.entries()) {
    const own = rows.filter(([of]) => of === index + 1);
    const page = {
      events: own.map(([, json]) => readRecorded(core.service, core.catalog, json)),
      more: isFull({ count: own.length, limit: PAGE_EVENTS, bytes: own.at(-1)?.[2] }),
    };
    states.push(await foldOn(core, client, target, starts[index], page));
  }
  return { states };
}

export function streamLock(service: string, stream: string): bigint {
  return lockKey(service, 'stream', stream);
}

/** Ascending, so that two commands on the same streams cannot wait for each other. */
export function streamLocks(service: string, targets: readonly AnyTarget[]): bigint[] {
  return targets.map(({ stream }) => streamLock(service, stream)).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Folds the first page, and what is left of a long stream. */
async function foldOn(
  core: LogCore,
  client: PoolClient,
  { decider, stream }: AnyTarget,
  start: CachedState | undefined,
  { events, more }: StreamPage,
): Promise<CachedState> {
  const state = events.reduce((folded, event) => decider.evolve(folded, event), start?.state ?? decider.initial);
  const reached = { state, version: events.at(-1)?.version ?? start?.version ?? 0 };
  return more ? foldStream(core, client, decider, stream, { start: reached }) : reached;
}

/** The first answer again: the events it led to, and the state as it was then. */
async function repeat(
  core: LogCore,
  client: PoolClient,
  targets: readonly AnyTarget[],
  json: string,
  context: CommandContext,
): Promise<Handled[]> {
  const [requestHash, result] = JSON.parse(json) as [string, StoredResult[]];
  if (requestHash !== (context.requestHash ?? '')) {
    throw new CommandRefused({
      kind: 'unprocessable',
      code: 'IDEMPOTENCY_KEY_REUSED',
      message: 'this idempotency key was used for another request within the last seven days: use a new one',
    });
  }
  const handled: Handled[] = [];
  for (const [index, { stream, from, to }] of result.entries()) {
    const events: Recorded[] = [];
    const folded = await foldStream(core, client, targets[index]!.decider, stream, {
      toVersion: to,
      onEvent: (event) => event.version > from && events.push(event),
    });
    handled.push({ ...folded, events, replayed: true });
  }
  return handled;
}
