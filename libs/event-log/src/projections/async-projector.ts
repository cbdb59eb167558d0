import type { PoolClient } from 'pg';
import { BackgroundLoop, type TurnResult } from '../background-loop';
import { inTransaction, withConnection } from '../connections';
import { ProjectionLagging } from '../errors';
import { projectionLock } from '../inline-projections';
import { readLogPage } from '../log-reader';
import { sequencedTopic, type LogCore } from '../log-core';
import type { Projection } from './projection';
import { projectInto } from './projector';
import { checkpointName } from './rebuild';

const BATCH_EVENTS_MAX = 500;
/** How far a projection that wants few types moves at once. */
const RANGE_SEQ_MAX = 20_000;
const POLL_MS = 1_000;
const WAIT_POLL_MS = { first: 2, last: 50 };

/** Keeps the async projections of a service up to its public order; any number of replicas may run one. */
export class AsyncProjector {
  private readonly loop: BackgroundLoop;
  private readonly stopListening: () => void;
  private readonly projections: readonly Projection[];

  constructor(private readonly core: LogCore) {
    this.projections = core.projections.filter(({ mode }) => mode === 'async');
    this.loop = new BackgroundLoop({
      turn: () => this.turn(),
      onError: (error) => core.onError(error, 'async projections'),
      pollMs: POLL_MS,
    });
    this.stopListening = core.bell.on(sequencedTopic(core.service), () => this.loop.wake());
  }

  start(): void {
    if (this.projections.length > 0) this.loop.start();
  }

  async stop(): Promise<void> {
    this.stopListening();
    await this.loop.stop();
  }

  private async turn(): Promise<TurnResult> {
    const behind = await this.namesBehind();
    let result: TurnResult = 'idle';
    for (const projection of this.projections) {
      if (!behind.has(checkpointName(projection.name))) continue;
      // One that fails is reported and tried again; the others go on.
      try {
        if (await this.advance(projection)) result = 'more';
      } catch (error) {
        this.core.onError(error, `projection ${projection.name}`);
      }
    }
    return result;
  }

  private async namesBehind(): Promise<Set<string>> {
    const { rows } = await this.core.background.query<{ name: string }>({
      name: 'mledger_projections_behind',
      text: 'select name from checkpoints where name = any($1) and seq < (select seq from sequencer)',
      values: [this.projections.map(({ name }) => checkpointName(name))],
    });
    return new Set(rows.map(({ name }) => name));
  }

  /** One batch: rows and checkpoint in one transaction. False when another replica is at it or nothing is left. */
  private advance(projection: Projection): Promise<boolean> {
    return withConnection(this.core.background, (client) =>
      inTransaction(client, () => this.advanceLocked(projection, client)),
    );
  }

  private async advanceLocked(projection: Projection, client: PoolClient): Promise<boolean> {
    const lock = projectionLock(this.core.service, projection.name);
    const { rows: locked } = await client.query<{ held: boolean }>(`select pg_try_advisory_xact_lock(${lock}) as held`);
    if (!locked[0]!.held) return false;
    const name = checkpointName(projection.name);
    const { rows } = await client.query<{ seq: number; head: number }>(
      'select c.seq, s.seq as head from checkpoints c, sequencer s where c.name = $1',
      [name],
    );
    const { seq, head } = rows[0]!;
    if (seq >= head) return false;
    const { events, toSeq } = await readLogPage(this.core, client, {
      afterSeq: seq,
      toSeq: Math.min(head, seq + RANGE_SEQ_MAX),
      limit: BATCH_EVENTS_MAX,
      types: projection.types,
    });
    await projectInto(this.core.dataSource, client, projection, events, projection.name);
    await client.query('update checkpoints set seq = $2 where name = $1', [name, toSeq]);
    return true;
  }
}

/**
 * Waits until an async projection shows every event that was committed when the call began (or has reached `seq`).
 *
 * @throws ProjectionLagging after `timeoutMs`.
 */
export async function waitForProjection(
  core: LogCore,
  name: string,
  { seq, timeoutMs }: { seq?: number; timeoutMs: number },
): Promise<void> {
  const startedAt = performance.now();
  const position = seq === undefined ? await lastCommittedPosition(core) : undefined;
  if (seq === undefined && position === undefined) return;
  for (let pauseMs = WAIT_POLL_MS.first; ; pauseMs = Math.min(pauseMs * 2, WAIT_POLL_MS.last)) {
    if (await hasReached(core, name, { seq, position })) return;
    const waitedMs = performance.now() - startedAt;
    if (waitedMs >= timeoutMs) throw new ProjectionLagging(name, timeoutMs);
    await new Promise((resolve) => setTimeout(resolve, Math.min(pauseMs, timeoutMs - waitedMs)));
  }
}

/** The last in the sequencer's order of all events that are committed now, numbered or not. */
async function lastCommittedPosition(core: LogCore): Promise<number | undefined> {
  const { rows } = await core.pool.query<{ position: number }>({
    name: 'mledger_last_position',
    text: 'select position from events order by xid desc, position desc limit 1',
  });
  return rows[0]?.position;
}

async function hasReached(core: LogCore, name: string, target: { seq?: number; position?: number }): Promise<boolean> {
  const { rows } = await core.pool.query<{ reached: boolean }>({
    text: `select c.seq >= coalesce($2::bigint, (select o.seq from log_order o where o.position = $3)) as reached
             from checkpoints c where c.name = $1`,
    values: [checkpointName(name), target.seq ?? null, target.position ?? null],
  });
  if (!rows[0]) throw new Error(`there is no async projection ${name}`);
  return rows[0].reached === true;
}
