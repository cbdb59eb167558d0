import { Column, Entity, PrimaryColumn } from 'typeorm';
import { EVENT_BYTES_MAX } from './append';
import type { CommandContext } from './command-handler';
import { openEventLog, type EventLog } from './event-log';
import { stream } from './ids';
import type { Projection } from './projections/projection';
import { accountCatalog, accountDecider } from './testing/account';
import { eventually } from './testing/eventually';
import { openTestDatabase, type TestDatabase } from './testing/open-test-database';

const context: CommandContext = { tenant: 'acme', actor: 'user:ann', cause: 'request-1', correlation: 'loop-1' };
const account = stream('acme', 'account', 'of much text');
const note = 'x'.repeat(EVENT_BYTES_MAX - 1_000);
const EVENTS = 12;
/** Of 16 MiB; see page.ts. */
const A_PAGE = Math.ceil((16 * 1024 * 1024) / note.length);

@Entity({ name: 'counts' })
class CountRow {
  @PrimaryColumn('text') account!: string;
  @Column('integer') events!: number;
  @Column('bigint') last!: number;
}

const counts: Projection<CountRow> = {
  name: 'counts',
  mode: 'async',
  entity: CountRow,
  types: ['Deposited'],
  project: ({ stream: of, version }) => [
    {
      change: { account: of },
      by: (row) => ({ account: of, events: (row?.events ?? 0) + 1, last: version }),
    },
  ],
};

/** A few MiB in each, so that a page of hundreds would be some GiB. */
describe('a log of large events', () => {
  let database: TestDatabase;
  let log: EventLog;

  beforeAll(async () => {
    database = await openTestDatabase();
    const { url } = database;
    log = await openEventLog({ service: 'bank', url, catalog: accountCatalog, projections: [counts] });
    log.start();
    for (let count = 0; count < EVENTS; count += 1) {
      await log.store.appendBlind(account, [{ type: 'Deposited', data: { amount: 1, note } }], context);
    }
    await eventually('all are numbered', async () => (await log.store.head()) === EVENTS);
  });
  afterAll(async () => {
    await log.stop();
    await database.drop();
  });

  const pages = async (read: (after: number) => Promise<readonly { version: number }[]>) => {
    const sizes: number[] = [];
    for (let after = 0; ;) {
      const page = await read(after);
      sizes.push(page.length);
      if (page.length === 0) return sizes;
      expect(page.map(({ version }) => version)).toEqual(page.map((_event, index) => after + index + 1));
      after += page.length;
    }
  };
  const inPages = [A_PAGE, A_PAGE, EVENTS - 2 * A_PAGE, 0];

  it('is read in pages of few, all of it', async () => {
    expect(EVENTS).toBeGreaterThan(2 * A_PAGE);
    expect(await pages((afterSeq) => log.store.readLog({ afterSeq, limit: 1_000 }))).toEqual(inPages);
    const types = ['Deposited', 'Withdrawn'];
    expect(await pages((afterSeq) => log.store.readLog({ afterSeq, limit: 1_000, types }))).toEqual(inPages);
    expect(await pages((after) => log.store.readStream(account, { fromVersion: after + 1 }))).toEqual(inPages);
  });

  it.each([undefined, ['Deposited']])('is replayed whole, types %p', async (types) => {
    const sizes: number[] = [];
    for await (const page of log.store.replay({ types })) sizes.push(page.length);
    expect(sizes).toEqual(inPages.slice(0, -1));
  });

  it('is folded whole, for a look and for a decision of a process that remembers nothing', async () => {
    expect(await log.store.load(accountDecider, account, { seq: EVENTS })).toMatchObject({ version: EVENTS });
    const { url } = database;
    const other = await openEventLog({ service: 'bank', url, catalog: accountCatalog, projections: [counts] });
    const withdrawal = {
      decider: accountDecider,
      stream: account,
      command: { type: 'Withdraw', amount: EVENTS },
    } as const;
    expect(await other.store.handle(withdrawal, context)).toMatchObject({ version: EVENTS + 1, state: { balance: 0 } });
    await other.stop();
  });

  it('is followed, projected, rebuilt and verified whole', async () => {
    const seen: number[] = [];
    const onEvents = async (events: readonly { seq: number }[]) => void seen.push(...events.map(({ seq }) => seq));
    const subscription = log.subscribe({ afterSeq: 0, types: ['Deposited'], onEvents });
    await eventually('all are seen', () => seen.length === EVENTS);
    await subscription.stop();
    const rows = () => log.dataSource.query('select * from counts');
    await log.waitForProjection('counts');
    const projected = await rows();
    expect(projected).toEqual([{ account, events: EVENTS, last: EVENTS }]);
    await log.rebuild('counts');
    expect(await rows()).toEqual(projected);
    expect(await log.verify()).toMatchObject({ ok: true, events: await log.store.head() });
  });

  it('counts the bytes of what a log held before they were counted', async () => {
    const options = { service: 'older', url: database.url, catalog: accountCatalog, projections: [] };
    const older = await openEventLog(options);
    await older.store.handle(
      { decider: accountDecider, stream: account, command: { type: 'Deposit', amount: 7 } },
      context,
    );
    await older.dataSource.query('drop function open_command; alter table events drop column bytes');
    await older.dataSource.query(`delete from migrations where name like 'EventPages%'`);
    await older.stop();
    const newer = await openEventLog(options);
    const withdrawal = { decider: accountDecider, stream: account, command: { type: 'Withdraw', amount: 7 } } as const;
    expect(await newer.store.handle(withdrawal, context)).toMatchObject({ version: 2, state: { balance: 0 } });
    const bytes = await newer.dataSource.query('select version, bytes from events order by version');
    expect(bytes).toEqual([1, 2].map((version) => ({ version, bytes: '{"amount":7}'.length })));
    await newer.stop();
  });
});
