import { randomUUID } from 'node:crypto';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { CommandContext } from '../command-handler';
import { ProjectionLagging } from '../errors';
import type { Recorded, Sequenced } from '../event';
import { openEventLog, type EventLog, type EventLogOptions } from '../event-log';
import { stream } from '../ids';
import { accountCatalog, accountDecider, type AccountEvent } from '../testing/account';
import { eventually } from '../testing/eventually';
import { openTestDatabase, type TestDatabase } from '../testing/open-test-database';
import type { Projection } from './projection';
import { projectInto } from './projector';

@Entity({ name: 'accounts' })
@Index(['owner', 'balance'])
class AccountRow {
  @PrimaryColumn('text') account!: string;
  @Column('text', { nullable: true }) owner!: string | null;
  @Column('double precision') balance!: number;
  @Column('bigint') version!: number;
  @Column({ type: 'timestamptz', precision: 3 }) changedAt!: Date;
  @Column('jsonb') last!: object;
  @Column('text', { array: true }) actors!: string[];
}

const accounts: Projection<AccountRow> = {
  name: 'accounts',
  mode: 'inline',
  entity: AccountRow,
  types: ['AccountOpened', 'Deposited', 'Withdrawn'],
  project(recorded) {
    const event = recorded as Recorded<AccountEvent>;
    return [
      {
        change: { account: event.stream },
        by: (row) => ({
          account: event.stream,
          owner: event.type === 'AccountOpened' ? event.data.owner : (row?.owner ?? null),
          balance: (row?.balance ?? 0) + (event.type === 'Deposited' ? event.data.amount : 0),
          version: event.version,
          changedAt: new Date(event.time),
          last: event.data,
          actors: [...new Set([...(row?.actors ?? []), event.actor])],
        }),
      },
    ];
  },
};

@Entity({ name: 'turnover' })
class TurnoverRow {
  @PrimaryColumn('text') tenant!: string;
  @PrimaryColumn('integer') digit!: number;
  @Column('integer') count!: number;
  @Column('bigint') seq!: number;
}

/** Shared by all accounts, and every hundredth deposit clears a row. */
const turnover: Projection<TurnoverRow> = {
  name: 'turnover',
  mode: 'async',
  entity: TurnoverRow,
  types: ['Deposited'],
  project(recorded) {
    const event = recorded as Sequenced<AccountEvent>;
    if (event.type !== 'Deposited') return [];
    const key = { tenant: event.tenant, digit: event.data.amount % 10 };
    if (event.data.amount % 100 === 99) return [{ remove: key }];
    return [{ change: key, by: (row) => ({ ...key, count: (row?.count ?? 0) + 1, seq: event.seq }) }];
  },
};

const context: CommandContext = { tenant: 'acme', actor: 'user:ann', cause: 'request-1', correlation: 'loop-1' };
const newStream = () => stream('acme', 'account', randomUUID());

describe('projections', () => {
  let database: TestDatabase;
  let log: EventLog;
  const options = (projections: readonly Projection[] = [accounts, turnover]): EventLogOptions => ({
    service: 'bank',
    url: database.url,
    catalog: accountCatalog,
    projections,
  });
  const reopen = async (projections?: readonly Projection[]) => {
    await log.stop();
    log = await openEventLog(options(projections));
    log.start();
  };
  const dump = async (table: string): Promise<unknown> =>
    log.dataSource.query(`select t::text as row from "${table}" t order by 1`);
  const deposit = (id: string, amount: number, actor = 'user:ann') =>
    log.store.handle(
      { decider: accountDecider, stream: id, command: { type: 'Deposit', amount } },
      { ...context, actor },
    );
  const writeHistory = async () => {
    const ids = Array.from({ length: 12 }, newStream);
    await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        index % 5 === 0
          ? deposit(ids[index % 12]!, index, `user:${index % 3}`)
          : log.store.appendBlind(ids[index % 12]!, [{ type: 'Deposited', data: { amount: index } }], context),
      ),
    );
    return ids;
  };

  beforeEach(async () => {
    database = await openTestDatabase();
    log = await openEventLog(options());
    log.start();
  });
  afterEach(async () => {
    await log.stop();
    await database.drop();
  });

  it('let a caller read its own write: inline at once, async after a wait', async () => {
    const id = newStream();
    const { events } = await deposit(id, 5);
    const row = await log.dataSource.getRepository(AccountRow).findOneByOrFail({ account: id });
    expect(row).toMatchObject({
      owner: null,
      balance: 5,
      version: 1,
      changedAt: new Date(events[0]!.time),
      last: { amount: 5 },
      actors: ['user:ann'],
    });
    await log.waitForProjection('turnover');
    expect(await log.dataSource.getRepository(TurnoverRow).findOneByOrFail({ tenant: 'acme', digit: 5 })).toMatchObject(
      {
        count: 1,
      },
    );
  });

  it('are rebuilt right from a log that was restored, where the last to be numbered is not the last that was inserted', async () => {
    const begin = async () => {
      const runner = log.dataSource.createQueryRunner();
      await runner.startTransaction();
      await runner.query('select pg_current_xact_id()');
      return runner;
    };
    const [older, younger] = [await begin(), await begin()];
    for (const runner of [younger, older]) {
      const target = { decider: accountDecider, stream: newStream(), command: { type: 'Deposit', amount: 5 } } as const;
      await log.store.handle(target, context, { transaction: runner.manager });
    }
    for (const runner of [younger, older]) {
      await runner.commitTransaction();
      await runner.release();
    }
    await log.waitForProjection('turnover');
    const live = await dump('turnover');
    await log.dataSource.query('alter table events disable trigger append_only');
    await log.dataSource.query(`update events set xid = '99999999999'`);
    await log.dataSource.query('alter table events enable trigger append_only');
    await log.stop();
    log = await openEventLog({ ...options(), afterRestore: true });
    log.start();
    await log.rebuild('turnover');
    expect(await dump('turnover')).toEqual(live);
  });

  it('are rebuilt in turn, more often at once than there are connections, and commands go on', async () => {
    await writeHistory();
    await log.waitForProjection('turnover');
    const live = await dump('accounts');
    const rebuilds = Array.from({ length: 12 }, (_, index) => log.rebuild(index % 2 ? 'turnover' : 'accounts'));
    await deposit(newStream(), 100);
    await Promise.all(rebuilds);
    expect(await dump('accounts')).toHaveLength((live as unknown[]).length + 1);
    await expect(log.rebuild('nothing')).rejects.toThrow('has no projection nothing');
  });

  it('say so when they lag for too long', async () => {
    await reopen();
    const blocker = log.dataSource.createQueryRunner();
    await blocker.startTransaction();
    await blocker.query('select pg_current_xact_id()'); // Nothing is numbered while this may still append.
    await deposit(newStream(), 1);
    await expect(log.waitForProjection('turnover', undefined, 50)).rejects.toThrow(ProjectionLagging);
    await blocker.commitTransaction();
    await blocker.release();
    await log.waitForProjection('turnover');
  });

  it('are, rebuilt, what they were, to the byte, while others write', async () => {
    await writeHistory();
    const during = Promise.all(Array.from({ length: 60 }, (_, index) => deposit(newStream(), index + 1)));
    await Promise.all([log.rebuild('accounts'), log.rebuild('turnover'), during]);
    await log.waitForProjection('turnover');
    const live = [await dump('accounts'), await dump('turnover')];
    await log.rebuild('accounts');
    await log.rebuild('turnover');
    await log.waitForProjection('turnover');
    expect([await dump('accounts'), await dump('turnover')]).toEqual(live);
    expect(live[0]).toHaveLength(72);
    const tables = await log.dataSource.query(
      `select relname from pg_class where relkind = 'r' and relname ~ '__[0-9]+$' order by 1`,
    );
    expect(tables).toEqual([{ relname: 'accounts__3' }, { relname: 'turnover__3' }]);
  });

  it.each([1, 7, 500])('come to the same rows in batches of %i, with events delivered twice', async (size) => {
    await writeHistory();
    await log.waitForProjection('turnover');
    const events = await log.store.readLog({ afterSeq: 0, limit: 1_000 });
    const runner = log.dataSource.createQueryRunner();
    for (const projection of [accounts, turnover] as Projection[]) {
      await runner.query(`create table again (like ${projection.name} including all)`);
      const [key] = projection === (accounts as Projection) ? ['account'] : ['tenant, digit'];
      await runner.query(`alter table again add primary key (${key})`);
      for (let from = 0; from < events.length; from += size) {
        const batch = events.slice(from, from + size);
        await projectInto(log.dataSource, runner, projection, [...batch, ...batch.slice(0, 3)], 'again');
      }
      expect(await dump('again')).toEqual(await dump(projection.name));
      await runner.query('drop table again');
    }
    await runner.release();
  });

  it('are filled when they are new to a log, and rebuilt when their declaration changed', async () => {
    await reopen([]);
    const [id] = await writeHistory();
    await reopen();
    await log.waitForProjection('turnover');
    expect(await dump('accounts')).toHaveLength(12);
    expect(await dump('turnover')).not.toHaveLength(0);

    @Entity({ name: 'accounts' })
    class ChangedRow {
      @PrimaryColumn('text') account!: string;
      @Column('double precision') total!: number;
    }
    const changed: Projection<ChangedRow> = {
      name: 'accounts',
      mode: 'inline',
      entity: ChangedRow,
      types: ['Deposited'],
      project: (event) => [
        {
          change: { account: event.stream },
          by: (row) => ({
            account: event.stream,
            total: (row?.total ?? 0) + (event.data as { amount: number }).amount,
          }),
        },
      ],
    };
    const [{ balance }] = (await log.dataSource.query('select balance from accounts where account = $1', [id])) as [
      { balance: number },
    ];
    await reopen([changed]);
    expect(await log.dataSource.getRepository(ChangedRow).findOneByOrFail({ account: id })).toEqual({
      account: id,
      total: balance,
    });
  });

  it('make a process stop appending that does not know a new inline projection', async () => {
    await reopen([turnover]);
    const newer = await openEventLog(options());
    await expect(deposit(newStream(), 1)).rejects.toThrow('restart this process');
    await expect(
      log.store.appendBlind(newStream(), [{ type: 'Deposited', data: { amount: 1 } }], context),
    ).rejects.toThrow('restart this process');
    const id = newStream();
    await newer.store.appendBlind(id, [{ type: 'Deposited', data: { amount: 1 } }], context);
    expect(await newer.dataSource.getRepository(AccountRow).countBy({ account: id })).toBe(1);
    await newer.stop();
  });

  it('keep numbers that JSON cannot write', async () => {
    @Entity({ name: 'figures' })
    class Figure {
      @PrimaryColumn('text') name!: string;
      @Column('double precision') value!: number;
      @Column('bytea') bytes!: Buffer;
    }
    const values = { nan: Number.NaN, infinite: -Infinity, zero: -0, small: 5e-324 };
    const figures: Projection<Figure> = {
      name: 'figures',
      mode: 'inline',
      entity: Figure,
      types: ['Deposited'],
      project: () =>
        Object.entries(values).map(([name, value]) => ({ put: { name, value, bytes: Buffer.from(name) } })),
    };
    await reopen([figures]);
    await deposit(newStream(), 1);
    const rows = await log.dataSource.getRepository(Figure).find();
    expect(Object.fromEntries(rows.map(({ name, value }) => [name, value]))).toEqual(values);
    expect(rows.every(({ name, bytes }) => bytes.toString() === name)).toBe(true);
  });

  it('refuse what a rebuild could not repeat', async () => {
    @Entity({ name: 'stamped' })
    class Stamped {
      @PrimaryColumn('text') key!: string;
      @Column('timestamptz', { default: () => 'now()' }) at!: Date;
    }
    const stamped: Projection<Stamped> = {
      name: 'stamped',
      mode: 'inline',
      entity: Stamped,
      types: [],
      project: () => [],
    };
    await expect(openEventLog({ ...options([stamped]), service: 'other' })).rejects.toThrow('default');
  });

  it('one that fails keeps no other from going on', async () => {
    const errors: string[] = [];
    const failing: Projection<TurnoverRow> = {
      ...turnover,
      name: 'failing',
      entity: FailingRow as new () => TurnoverRow,
      project: () => {
        throw new Error('on purpose');
      },
    };
    await log.stop();
    log = await openEventLog({
      ...options([failing, turnover]),
      onError: (error, where) => errors.push(`${where}: ${(error as Error).message}`),
    });
    log.start();
    await deposit(newStream(), 3);
    await log.waitForProjection('turnover');
    await eventually('the failure is reported', () => errors.includes('projection failing: on purpose'));
  });
});

@Entity({ name: 'failing' })
class FailingRow extends TurnoverRow {}
