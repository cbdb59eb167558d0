import type { DataSource, MigrationInterface } from 'typeorm';
import type { Pool } from 'pg';
import type { AsOf } from './as-of';
import type { BackgroundLoop } from './background-loop';
import { Bell } from './bell';
import { closeDatabase, openDatabase, type Database } from './database';
import type { EventCatalog } from './event';
import { EventStore } from './event-store';
import type { LogCore } from './log-core';
import { AsyncProjector, waitForProjection } from './projections/async-projector';
import { inlineHashOf } from './projections/declared';
import type { Projection } from './projections/projection';
import { ensureProjections, rebuildProjection } from './projections/rebuild';
import { ringingSubscriber } from './ring-after-commit';
import { commandPruner } from './prune-commands';
import { checkRestored } from './restored';
import { seqAt } from './seq-at';
import { Sequencer } from './sequencer';
import { Subscription, type SubscribeOptions } from './subscription';
import { Checkpoints } from './tamper-evidence/checkpoints';
import type { SignedCheckpoint, Signer } from './tamper-evidence/signer';
import { verifyLog, type VerifyOptions, type VerifyReport } from './tamper-evidence/verify';

const POOL_SIZE_MAX = 5;
/** A rebuild writes on one connection and reads on another. */
const POOL_SIZE_MIN = 2;
const WAIT_MS_MAX = 2_000;

export interface EventLogOptions {
  /** Also the name of its schema in the database. */
  service: string;
  url: string;
  catalog: EventCatalog;
  projections: readonly Projection[];
  /** Of working state; the log's own come first. */
  migrations?: readonly (new () => MigrationInterface)[];
  /** Entities of working state. */
  entities?: readonly (new () => object)[];
  /** The service's connections; two more are the log's (one of them shared by the process). */
  poolSizeMax?: number;
  /** Signs checkpoints; without one there are none. Its key must be where Postgres' administrator cannot read it. */
  signer?: Signer;
  /** Publishes a checkpoint out of the database's reach; called again until it succeeds. */
  onCheckpoint?: (checkpoint: SignedCheckpoint) => Promise<void>;
  /** The database was restored from a dump: number what the dump had not numbered, and adopt the rest. */
  afterRestore?: boolean;
  /** A failure behind the scenes, which will be tried again. */
  onError?: (error: unknown, where: string) => void;
}

/** Opens a service's log: brings the schema up to date and makes the projections' tables. Nothing runs before `start`. */
export async function openEventLog(options: EventLogOptions): Promise<EventLog> {
  const poolSizeMax = options.poolSizeMax ?? POOL_SIZE_MAX;
  if (poolSizeMax < POOL_SIZE_MIN) throw new Error(`a log needs a pool of at least ${POOL_SIZE_MIN} connections`);
  const { projections } = options;
  if (new Set(projections.map(({ name }) => name)).size < projections.length) {
    throw new Error(`two projections of ${options.service} have the same name`);
  }
  const bell = await Bell.of(options.url);
  const coreOf = ({ dataSource, pool, background }: Database): LogCore => ({
    service: options.service,
    catalog: options.catalog,
    projections,
    inlineHash: inlineHashOf(dataSource, projections),
    dataSource,
    pool,
    background,
    bell,
    onError: options.onError ?? ((error, where) => console.error(`${options.service} ${where}:`, error)),
  });
  try {
    const database = await openDatabase(
      {
        service: options.service,
        url: options.url,
        poolSizeMax,
        entities: [...projections.map(({ entity }) => entity), ...(options.entities ?? [])],
        migrations: options.migrations ?? [],
      },
      async (opened) => {
        const core = coreOf(opened);
        await checkRestored(core, options.afterRestore ?? false);
        await ensureProjections(core);
      },
    );
    return new EventLog(coreOf(database), database, options);
  } catch (error) {
    await bell.close();
    throw error;
  }
}

/** One service's open log: its store, and what goes on behind it. */
export class EventLog {
  readonly store: EventStore;
  readonly dataSource: DataSource;
  /** The service's connections, for SQL that is hot. */
  readonly pool: Pool;
  private readonly sequencer: Sequencer;
  private readonly projector: AsyncProjector;
  private readonly pruner: BackgroundLoop;
  private readonly checkpoints: Checkpoints | undefined;
  private readonly subscriptions = new Set<Subscription>();
  private rebuilding: Promise<unknown> = Promise.resolve();
  private stopping: Promise<void> | undefined;

  constructor(
    private readonly core: LogCore,
    private readonly database: Database,
    private readonly options: EventLogOptions,
  ) {
    this.dataSource = core.dataSource;
    this.pool = core.pool;
    this.dataSource.subscribers.push(ringingSubscriber(core));
    // Some connections are left for decisions and reads.
    this.store = new EventStore(core, {
      flushesMax: Math.max(1, Math.floor((options.poolSizeMax ?? POOL_SIZE_MAX) / 2)),
    });
    this.sequencer = new Sequencer(core);
    this.projector = new AsyncProjector(core);
    this.pruner = commandPruner(core);
    const { signer, onCheckpoint } = options;
    if (signer) this.checkpoints = new Checkpoints(core, { signer, onCheckpoint });
  }

  get service(): string {
    return this.core.service;
  }

  /** Begins to number events and to keep async projections. */
  start(): void {
    this.sequencer.start();
    this.projector.start();
    this.pruner.start();
    this.checkpoints?.start();
  }

  /** Finishes what callers wait for, stops what runs behind, closes the connections. */
  stop(): Promise<void> {
    this.stopping ??= this.stopOnce();
    return this.stopping;
  }

  /** Builds a projection anew beside the live table and swaps it in; readers and writers go on meanwhile. */
  async rebuild(name: string): Promise<void> {
    const projection = this.projection(name);
    // In turn: each needs a second connection, which others that wait with their first would keep from it for ever.
    const rebuilt = this.rebuilding.then(() => rebuildProjection(this.core, projection));
    this.rebuilding = rebuilt.catch(() => undefined);
    await rebuilt;
  }

  /**
   * Waits until an async projection shows every event committed before this call (or has reached `seq`), at most 2 s.
   *
   * @throws ProjectionLagging, which maps to 503.
   */
  async waitForProjection(name: string, seq?: number, timeoutMs = WAIT_MS_MAX): Promise<void> {
    if (this.projection(name).mode === 'inline') return;
    await waitForProjection(this.core, name, { seq, timeoutMs });
  }

  /** Follows the log from a position on, until it is stopped or the log is. */
  subscribe(options: SubscribeOptions): Subscription {
    const subscription = new Subscription(this.core, options);
    this.subscriptions.add(subscription);
    return subscription;
  }

  /** The seq that a moment stands for, for tables that keep from_seq and to_seq. */
  seqAt(at: AsOf): Promise<number> {
    return seqAt(this.core.pool, at);
  }

  /** Recomputes every hash, from the first event on, and names the first place that is not as it was. */
  verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    return verifyLog(this.core, options, this.options.signer?.keyId);
  }

  /** Signs and publishes the head now. Undefined for an empty log, or without a signer. */
  async checkpoint(): Promise<SignedCheckpoint | undefined> {
    return this.checkpoints?.take();
  }

  private projection(name: string): Projection {
    const found = this.core.projections.find((projection) => projection.name === name);
    if (!found) throw new Error(`${this.service} has no projection ${name}`);
    return found;
  }

  private async stopOnce(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.stop()));
    await this.store.drain();
    await this.sequencer.stop();
    await this.projector.stop();
    await this.pruner.stop();
    await this.checkpoints?.stop();
    await closeDatabase(this.database);
    await this.core.bell.close();
  }
}
