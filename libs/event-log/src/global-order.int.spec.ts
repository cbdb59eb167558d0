import { randomUUID } from 'node:crypto';
import type { CommandContext } from './command-handler';
import { sqlState } from './errors';
import type { Sequenced } from './event';
import { openEventLog, type EventLog, type EventLogOptions } from './event-log';
import { stream } from './ids';
import { accountCatalog, accountDecider } from './testing/account';
import { eventually } from './testing/eventually';
import { openTestDatabase, type TestDatabase } from './testing/open-test-database';

const context: CommandContext = { tenant: 'acme', actor: 'user:ann', cause: 'request-1', correlation: 'loop-1' };
const newStream = () => stream('acme', 'account', randomUUID());
const deposit = (id: string) =>
  ({ decider: accountDecider, stream: id, command: { type: 'Deposit', amount: 1 } }) as const;

describe('the public order', () => {
  let database: TestDatabase;
  let log: EventLog;
  const options = (): EventLogOptions => ({
    service: 'bank',
    url: database.url,
    catalog: accountCatalog,
    projections: [],
    poolSizeMax: 20,
  });

  beforeEach(async () => {
    database = await openTestDatabase();
    log = await openEventLog(options());
  });
  afterEach(async () => {
    await log.stop();
    await database.drop();
  });

  const readAll = () => log.store.readLog({ afterSeq: 0, limit: 10_000 });
  const begin = async () => {
    const runner = log.dataSource.createQueryRunner();
    await runner.startTransaction();
    return runner;
  };

  it('shows an event that was inserted first and committed last, after those it let pass', async () => {
    log.start();
    const early = await begin();
    await early.query('select pg_current_xact_id()');
    const late = await begin();
    const [first, second] = [newStream(), newStream()];
    await log.store.handle(deposit(first), context, { transaction: late.manager });
    await log.store.handle(deposit(second), context, { transaction: early.manager });
    await early.commitTransaction();
    await early.release();
    await eventually('the committed one is numbered', async () => (await log.store.head()) === 1);
    await late.commitTransaction();
    await late.release();
    await eventually('the late one is numbered', async () => (await log.store.head()) === 2);
    expect((await readAll()).map(({ seq, stream: of }) => [seq, of])).toEqual([
      [1, second],
      [2, first],
    ]);
  });

  it('waits for an older transaction that may still append', async () => {
    log.start();
    const older = await begin();
    await older.query('select pg_current_xact_id()');
    const id = newStream();
    await log.store.handle(deposit(id), context);
    await log.store.handle(deposit(newStream()), context, { transaction: older.manager });
    // A turn of our own, so that there certainly was one.
    const [turn] = (await log.dataSource.query('select numbered from sequence_events(1, 100)')) as [
      { numbered: number },
    ];
    expect(turn.numbered).toBe(0);
    await older.commitTransaction();
    await older.release();
    await eventually('both are numbered', async () => (await log.store.head()) === 2);
    expect((await readAll())[1]!.stream).toBe(id);
  });

  it('never inverts a stream: a transaction that is older than the last writer must begin again', async () => {
    log.start();
    const id = newStream();
    const older = await begin();
    // What a consumer does that writes its offset before it handles the message.
    await older.query('select pg_current_xact_id()');
    await log.store.handle(deposit(id), context);
    const inverted = log.store.handle(deposit(id), context, { transaction: older.manager });
    expect(sqlState(await inverted.catch((error: unknown) => error))).toBe('40001');
    await older.rollbackTransaction();
    await older.release();
    await log.store.handle(deposit(id), context);
    await eventually('both are numbered', async () => (await log.store.head()) === 2);
    expect((await readAll()).map(({ version }) => version)).toEqual([1, 2]);
  });

  it('shows a polling reader every event once and in order while hundreds of transactions commit out of order', async () => {
    log.start();
    const transactions = 400;
    const ids = Array.from({ length: 30 }, newStream);
    const seen: Sequenced[] = [];
    let reading = true;
    const reader = (async () => {
      while (reading || (await log.store.head()) > seen.length) {
        seen.push(...(await log.store.readLog({ afterSeq: seen.at(-1)?.seq ?? 0, limit: 7 })));
      }
    })();
    const write = async (index: number): Promise<void> => {
      try {
        await log.dataSource.transaction(async (manager) => {
          const id = ids[(index * 7) % ids.length]!;
          await log.store.handle(deposit(id), context, { transaction: manager });
          if (index % 3 === 0) await manager.query('select pg_sleep($1)', [((index * 13) % 40) / 1000]);
          if (index % 10 === 0) throw new Error('rolled back on purpose');
        });
      } catch (error) {
        if ((error as Error).message !== 'rolled back on purpose') await write(index);
      }
    };
    const queue = Array.from({ length: transactions }, (_, index) => index);
    const worker = async () => {
      for (let index = queue.shift(); index !== undefined; index = queue.shift()) await write(index);
    };
    await Promise.all(Array.from({ length: 12 }, worker));
    const committed = transactions - transactions / 10;
    await eventually('all are numbered', async () => (await log.store.head()) === committed);
    reading = false;
    await reader;

    expect(seen.map(({ seq }) => seq)).toEqual(Array.from({ length: committed }, (_, index) => index + 1));
    for (const id of ids) {
      const versions = seen.filter(({ stream: of }) => of === id).map(({ version }) => version);
      expect(versions).toEqual(versions.map((_, index) => index + 1));
    }
    expect((await log.verify()).ok).toBe(true);
  });

  it('is the same whichever of several replicas numbers', async () => {
    const replica = await openEventLog(options());
    log.start();
    replica.start();
    const stores = [log.store, replica.store];
    const ids = Array.from({ length: 8 }, newStream);
    await Promise.all(
      Array.from({ length: 160 }, (_, index) => stores[index % 2]!.handle(deposit(ids[index % 8]!), context)),
    );
    await eventually('all are numbered', async () => (await log.store.head()) === 160);
    expect((await log.verify()).ok).toBe(true);
    expect(await replica.store.readLog({ afterSeq: 0, limit: 200 })).toEqual(await readAll());
    await replica.stop();
  });

  it('refuses a log that was restored into a younger cluster, and adopts it when told to', async () => {
    log.start();
    const id = newStream();
    await log.store.handle(deposit(id), context);
    await eventually('it is numbered', async () => (await log.store.head()) === 1);
    await log.stop();
    log = await openEventLog(options());
    await log.store.handle(deposit(id), context); // not numbered before the dump
    // What a restored dump looks like: the other cluster's transaction ids, far above this one's.
    await log.dataSource.query(`alter table events disable trigger append_only`);
    await log.dataSource.query(`update events set xid = '99999999999'`);
    await log.dataSource.query(`alter table events enable trigger append_only`);
    await log.dataSource.query(`update streams set last_xid = '99999999999'`);
    await log.stop();

    await expect(openEventLog(options())).rejects.toThrow('afterRestore');
    log = await openEventLog({ ...options(), afterRestore: true });
    log.start();
    expect((await readAll()).map(({ seq, version }) => [seq, version])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    await log.store.handle(deposit(id), context);
    await eventually('what comes after is numbered', async () => (await log.store.head()) === 3);
    expect((await log.verify()).ok).toBe(true);
    await expect(log.dataSource.query('delete from events')).rejects.toThrow('append-only');
  });

  it('tells the seq of any moment, and an aggregate as it was then', async () => {
    log.start();
    const id = newStream();
    const times: string[] = [];
    for (let count = 1; count <= 3; count += 1) {
      const { events } = await log.store.handle(deposit(id), context);
      times.push(events[0]!.time);
      await eventually('numbered, and the clock has moved on', async () => {
        const [{ now }] = (await log.dataSource.query(`select clock_timestamp() > $1::timestamptz + '1 ms' as now`, [
          times.at(-1),
        ])) as [{ now: boolean }];
        return now && (await log.store.head()) === count;
      });
    }
    for (const [index, time] of times.entries()) {
      expect(await log.seqAt({ time })).toBe(index + 1);
      expect((await log.store.load(accountDecider, id, { time })).state.balance).toBe(index + 1);
      expect((await log.store.load(accountDecider, id, { seq: index + 1 })).version).toBe(index + 1);
      expect(await log.store.readStream(id, { at: { seq: index } })).toHaveLength(index);
    }
    expect(await log.seqAt({ time: '2001-01-01T00:00:00.000Z' })).toBe(0);
    expect(await log.seqAt({ time: '2999-01-01T00:00:00.000Z' })).toBe(3);
    expect((await log.store.load(accountDecider, id, { time: '2001-01-01T00:00:00.000Z' })).version).toBe(0);
  });
});
