import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { CommandContext } from './command-handler';
import { openEventLog, type EventLog, type EventLogOptions } from './event-log';
import { stream } from './ids';
import { accountCatalog } from './testing/account';
import { eventually } from './testing/eventually';
import { openTestDatabase, type TestDatabase } from './testing/open-test-database';

const context: CommandContext = { tenant: 'acme', actor: 'user:ann', cause: 'request-1', correlation: 'loop-1' };
const newStream = () => stream('acme', 'account', randomUUID());

describe('a subscription', () => {
  let database: TestDatabase;
  let log: EventLog;
  const options = (service = 'bank'): EventLogOptions => ({
    service,
    url: database.url,
    catalog: accountCatalog,
    projections: [],
  });
  const append = (count: number, to = log) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        to.store.appendBlind(
          newStream(),
          [{ type: index % 2 ? 'Deposited' : 'Withdrawn', data: { amount: 1 } }],
          context,
        ),
      ),
    );
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

  beforeEach(async () => {
    database = await openTestDatabase();
    log = await openEventLog(options());
    log.start();
  });
  afterEach(async () => {
    await log.stop();
    await database.drop();
  });

  it('catches up from a position and goes on with what comes', async () => {
    await append(700);
    await eventually('all are numbered', async () => (await log.store.head()) === 700);
    const seen: number[] = [];
    const subscription = log.subscribe({
      afterSeq: 10,
      onEvents: async (events) => void seen.push(...events.map(({ seq }) => seq)),
    });
    await append(50);
    await eventually('all are seen', () => seen.length === 740);
    expect(seen).toEqual(upTo(750).slice(10));
    await subscription.stop();
    await append(1);
    await eventually('one more is numbered', async () => (await log.store.head()) === 751);
    expect(seen).toHaveLength(740);
  });

  it('gives a batch again when its reader failed', async () => {
    const seen: number[] = [];
    const errors: unknown[] = [];
    log.subscribe({
      afterSeq: 0,
      types: ['Deposited'],
      onError: (error) => errors.push(error),
      onEvents: async (events) => {
        if (errors.length === 0) throw new Error('on purpose');
        seen.push(...events.map(({ seq }) => seq));
      },
    });
    await append(4);
    await eventually('both deposits are seen', () => seen.length === 2);
    expect(errors).toHaveLength(1);
  });

  it('hears of what another process appended', async () => {
    const other = await openEventLog(options());
    const seen: number[] = [];
    log.subscribe({ afterSeq: 0, onEvents: async (events) => void seen.push(...events.map(({ seq }) => seq)) });
    await append(3, other);
    await eventually('all are seen', () => seen.length === 3);
    await other.stop();
  });

  it('outlives the loss of every connection', async () => {
    const seen: number[] = [];
    log.subscribe({
      afterSeq: 0,
      onError: () => undefined,
      onEvents: async (events) => void seen.push(...events.map(({ seq }) => seq)),
    });
    await append(3);
    await eventually('the first are seen', () => seen.length === 3);
    const admin = new Client({ connectionString: database.url });
    await admin.connect();
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await eventually('appending works again', () =>
      append(1).then(
        () => true,
        () => false,
      ),
    );
    const head = await eventually('all are numbered and seen', async () => {
      const now = await log.store.head();
      return now >= 4 && seen.length === now && now;
    });
    expect(seen).toEqual(upTo(head));
    await admin.end();
  });

  it('can be had of a log whose database was not there at the first try', async () => {
    await log.stop();
    await database.drop();
    await expect(openEventLog(options())).rejects.toThrow('does not exist');
    const server = new URL(database.url);
    server.pathname = new URL(process.env.MLEDGER_TEST_DATABASE_URL!).pathname;
    const admin = new Client({ connectionString: server.href });
    await admin.connect();
    await admin.query(`create database ${new URL(database.url).pathname.slice(1)}`);
    await admin.end();
    log = await openEventLog(options());
    const seen: number[] = [];
    log.subscribe({ afterSeq: 0, onEvents: async (events) => void seen.push(...events.map(({ seq }) => seq)) });
    log.start();
    await append(1);
    await eventually('it is seen', () => seen.length === 1);
  });

  it('shares one listening connection with every log of the process', async () => {
    const others = await Promise.all(
      ['serving', 'registry', 'ledger'].map((service) => openEventLog(options(service))),
    );
    const rows = (await log.dataSource.query(
      `select count(*) as n from pg_stat_activity where datname = current_database() and application_name = 'mledger bell'`,
    )) as [{ n: number }];
    expect(rows[0].n).toBe(1);
    await Promise.all(others.map((other) => other.stop()));
    await append(1);
    await eventually('and it still rings', async () => (await log.store.head()) === 1);
  });
});
