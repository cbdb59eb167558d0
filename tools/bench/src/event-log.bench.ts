import { join } from 'node:path';
import {
  openEventLog,
  stream,
  type CommandContext,
  type Decider,
  type EventCatalog,
  type EventLog,
  type Projection,
} from '@mledger/event-log';
import { createDatabase, startPostgres } from '@mledger/infra';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { closedLoop } from './closed-loop';
import { besides, cores, type Report, type Suite } from './measurement';
import { PlainLog } from './plain-log';
import { inTempFolder } from './temp-folder';

const METRICS_A_EVENT = 10;
const WARM_UP_SECONDS = 2;
const MEASURED_SECONDS = 8;
const REPLAY_PASSES = 5;
const POOL_SIZE_MAX = 8;

/** The same load on the least that could take it. */
interface Peer {
  readonly log: PlainLog;
  readonly appendsPerSecond: number;
}

interface MetricsLogged {
  type: 'MetricsLogged';
  data: { runId: string; metrics: { key: string; value: number; timestamp: number; step: number }[] };
}
const catalog: EventCatalog = { MetricsLogged: { schema: 1 } };

/** A run as a command decides about it: steps only go up. */
const run: Decider<{ step: number }, MetricsLogged, MetricsLogged> = {
  kind: 'run',
  initial: { step: -1 },
  decide: (state, command) =>
    command.data.metrics[0]!.step > state.step
      ? { events: [command] }
      : { refusal: { kind: 'conflict', code: 'STEP_BEHIND', message: 'this step was logged before' } },
  evolve: (_state, event) => ({ step: event.data.metrics[0]!.step }),
};

@Entity({ name: 'run_summary' })
class RunSummary {
  @PrimaryColumn('text') runId!: string;
  @Column('bigint') events!: number;
  @Column('bigint') lastStep!: number;
}

const runSummary: Projection<RunSummary> = {
  name: 'run_summary',
  mode: 'async',
  entity: RunSummary,
  types: ['MetricsLogged'],
  project(event) {
    const { runId, metrics } = event.data as MetricsLogged['data'];
    return [
      { change: { runId }, by: (row) => ({ runId, events: (row?.events ?? 0) + 1, lastStep: metrics[0]!.step }) },
    ];
  },
};

/** As a service writes it: each request has an id, and begins a correlation of its own. */
function contextOf(caller: number, count: number): CommandContext {
  const request = `0197a2c4-e1b8-7f3a-${String(caller).padStart(4, '0')}-${String(count).padStart(12, '0')}`;
  return {
    tenant: 'default',
    actor: 'user:0197a2c4-e1b8-7f3a-9c5d-6e7f80912a3b',
    cause: request,
    correlation: request,
  };
}

/** Ten metrics of one step, about 600 bytes as JSON; no two alike. */
function metricsLogged(caller: number, step: number): MetricsLogged {
  return {
    type: 'MetricsLogged',
    data: {
      runId: `run-${caller}`,
      metrics: Array.from({ length: METRICS_A_EVENT }, (_, index) => ({
        key: `m${index}`,
        value: Math.round(1e4 / (step + index + 1)) / 1e4,
        timestamp: 1_790_000_000_000 + step,
        step,
      })),
    },
  };
}

export const eventLogSuite: Suite = {
  name: 'event-log',
  summary: 'appends, decided commands, replay, projection and verify of one service’s log',
  run: (report) =>
    inTempFolder(async (folder) => {
      const postgres = await startPostgres({ dataFolder: join(folder, 'postgres'), persistent: false });
      try {
        const few = await appendedPlainly(await createDatabase(postgres.url, 'plain_64'), 64);
        await few.log.close();
        await appendsBlind(await createDatabase(postgres.url, 'callers_64'), 64, few, report);
        const many = await appendedPlainly(await createDatabase(postgres.url, 'plain_1000'), 1_000);
        const filled = await createDatabase(postgres.url, 'callers_1000');
        await appendsBlind(filled, 1_000, many, report, async (log) => {
          await readBack(log, many, report);
          await verifyAll(log, report);
        });
        await many.log.close();
        await projected(filled, report);
        await commandsDecided(await createDatabase(postgres.url, 'decided'), 64, report);
      } finally {
        await postgres.stop();
      }
    }),
};

const machine = () => `${cores()} shared by Node ${process.versions.node} and Postgres 18, synchronous_commit on`;

async function open(url: string, projections: readonly Projection[] = []): Promise<EventLog> {
  const log = await openEventLog({ service: 'bench', url, catalog, projections, poolSizeMax: POOL_SIZE_MAX });
  const [setting] = (await log.dataSource.query('show synchronous_commit')) as [{ synchronous_commit: string }];
  if (setting.synchronous_commit !== 'on') throw new Error('these figures are for synchronous_commit = on');
  log.start();
  return log;
}

async function appendedPlainly(url: string, callers: number): Promise<Peer> {
  const log = await PlainLog.open(url);
  const { perSecond } = await closedLoop({
    callers,
    warmUpSeconds: WARM_UP_SECONDS,
    seconds: MEASURED_SECONDS,
    work: (caller, count) =>
      log.append({
        stream: `default/run:${caller}`,
        ...metricsLogged(caller, count),
        meta: contextOf(caller, count),
      }),
  });
  return { log, appendsPerSecond: perSecond };
}

/** How many events a second a pass reads and folds; `read` calls back with all of them. */
async function passPerSecond(read: (onPage: (page: readonly { data: object }[]) => void) => Promise<void>) {
  let events = 0;
  let metrics = 0;
  const startedAt = performance.now();
  await read((page) => {
    events += page.length;
    for (const { data } of page) metrics += (data as MetricsLogged['data']).metrics.length;
  });
  const perSecond = events / ((performance.now() - startedAt) / 1_000);
  if (metrics !== events * METRICS_A_EVENT) throw new Error(`${metrics} metrics in ${events} events: some were lost`);
  return { events, perSecond };
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Many runs log metrics at once. */
async function appendsBlind(
  url: string,
  callers: number,
  peer: Peer,
  report: Report,
  whenFilled?: (log: EventLog) => Promise<void>,
): Promise<void> {
  const log = await open(url);
  const bytes = JSON.stringify(metricsLogged(1, 500).data).length;
  const load = await closedLoop({
    callers,
    warmUpSeconds: WARM_UP_SECONDS,
    seconds: MEASURED_SECONDS,
    work: (caller, count) =>
      log.store.appendBlind(
        stream('default', 'run', `${caller}`),
        [metricsLogged(caller, count)],
        contextOf(caller, count),
      ),
  });
  const lagSeconds = await untilSequenced(log);
  const conditions = `${callers} callers, events of ${bytes} bytes, hashed and sequenced; ${machine()}`;
  report({
    name: `appends, ${callers} callers`,
    value: load.perSecond,
    unit: 'events/s',
    conditions,
    ...besides('plain group commit', load.perSecond, peer.appendsPerSecond),
  });
  report({ name: `append p50, ${callers} callers`, value: load.latencyMs.p50, unit: 'ms', conditions });
  report({ name: `append p99, ${callers} callers`, value: load.latencyMs.p99, unit: 'ms', conditions });
  report({ name: `sequencer lag at the end, ${callers} callers`, value: lagSeconds, unit: 's', conditions });
  await whenFilled?.(log);
  await log.stop();
}

async function commandsDecided(url: string, callers: number, report: Report): Promise<void> {
  const log = await open(url);
  const load = await closedLoop({
    callers,
    warmUpSeconds: WARM_UP_SECONDS,
    seconds: MEASURED_SECONDS,
    work: (caller, count) =>
      log.store.handle(
        { decider: run, stream: stream('default', 'run', `${caller}`), command: metricsLogged(caller, count) },
        contextOf(caller, count),
      ),
  });
  const conditions = `${callers} callers on distinct streams, pool of ${POOL_SIZE_MAX}; ${machine()}`;
  report({ name: `decided commands, ${callers} callers`, value: load.perSecond, unit: 'commands/s', conditions });
  report({ name: `decided command p99, ${callers} callers`, value: load.latencyMs.p99, unit: 'ms', conditions });
  report({ name: 'sequencer lag at the end, decided', value: await untilSequenced(log), unit: 's', conditions });
  await log.stop();
}

/** Everything is read through the store's public door: upcast, parsed and folded. In turn with the peer, since machines have moods. */
async function readBack(log: EventLog, peer: Peer, report: Report): Promise<void> {
  const ours: number[] = [];
  const theirs: number[] = [];
  let events = 0;
  for (let passes = 0; passes < REPLAY_PASSES; passes += 1) {
    theirs.push((await passPerSecond((onPage) => peer.log.replay(onPage))).perSecond);
    const pass = await passPerSecond(async (onPage) => {
      for await (const page of log.store.replay()) onPage(page);
    });
    events = pass.events;
    ours.push(pass.perSecond);
  }
  const value = median(ours);
  const conditions = `${events} events, each parsed and folded, median of ${REPLAY_PASSES} passes; ${machine()}`;
  const beside = besides('plain paging', value, median(theirs));
  report({ name: 'events replayed', value, unit: 'events/s', conditions, ...beside });
}

async function verifyAll(log: EventLog, report: Report): Promise<void> {
  const startedAt = performance.now();
  const verified = await log.verify();
  if (!verified.ok) throw new Error(`verify: ${verified.fault?.message}`);
  const value = verified.events / ((performance.now() - startedAt) / 1_000);
  const conditions = `${verified.events} events, every hash computed anew in Node; ${machine()}`;
  report({ name: 'events verified', value, unit: 'events/s', conditions });
}

/** A table of runs, built from the whole log as it is when a projection is new or has changed. */
async function projected(url: string, report: Report): Promise<void> {
  const log = await open(url, [runSummary]);
  const events = await log.store.head();
  const startedAt = performance.now();
  await log.rebuild(runSummary.name);
  const value = events / ((performance.now() - startedAt) / 1_000);
  const [{ total }] = (await log.dataSource.query('select sum(events) as total from run_summary')) as [
    { total: string },
  ];
  if (Number(total) !== events) throw new Error(`${total} of ${events} events are in the projection`);
  const conditions = `${events} events into one row for each of 1,000 runs; ${machine()}`;
  report({ name: 'events projected, rebuild', value, unit: 'events/s', conditions });
  await log.stop();
}

/** Seconds from the last acknowledgement until every event has its place in the public order. */
async function untilSequenced(log: EventLog): Promise<number> {
  const startedAt = performance.now();
  const [{ total }] = (await log.dataSource.query('select count(*) as total from events')) as [{ total: number }];
  while ((await log.store.head()) < total) await new Promise((resolve) => setTimeout(resolve, 1));
  return (performance.now() - startedAt) / 1_000;
}
