import { randomUUID } from 'node:crypto';
import { CommandRefused, VersionConflict, type Decider } from './decider';
import type { CommandContext } from './command-handler';
import { openEventLog, type EventLog } from './event-log';
import { stream } from './ids';
import { accountCatalog, accountDecider } from './testing/account';
import { eventually } from './testing/eventually';
import { openTestDatabase, type TestDatabase } from './testing/open-test-database';

const context: CommandContext = { tenant: 'acme', actor: 'user:ann', cause: 'request-1', correlation: 'loop-1' };
const newStream = () => stream('acme', 'account', randomUUID());
const deposit = (id: string, amount: number) =>
  ({ decider: accountDecider, stream: id, command: { type: 'Deposit', amount } }) as const;

describe('the event store', () => {
  let database: TestDatabase;
  let log: EventLog;
  const catalog = { ...accountCatalog, Closed: { schema: 1 }, Passed: { schema: 1 } };
  const open = () => openEventLog({ service: 'bank', url: database.url, catalog, projections: [] });

  beforeAll(async () => {
    database = await openTestDatabase();
    log = await open();
    log.start();
  });
  afterAll(async () => {
    await log.stop();
    await database.drop();
  });

  it('appends what was decided and reads back the very same events', async () => {
    const id = newStream();
    const opened = await log.store.handle(
      { decider: accountDecider, stream: id, command: { type: 'Open', owner: 'Ann' } },
      { ...context, traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
    );
    const paid = await log.store.handle(deposit(id, 12.5), context);

    expect(paid).toMatchObject({ version: 2, state: { owner: 'Ann', balance: 12.5 }, replayed: false });
    expect(paid.events[0]).toMatchObject({
      type: 'Deposited',
      data: { amount: 12.5 },
      stream: id,
      version: 2,
      schema: 1,
    });
    expect(paid.events[0]!.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(await log.store.readStream(id)).toEqual([...opened.events, ...paid.events]);
    expect(await log.store.load(accountDecider, id)).toEqual({ state: paid.state, version: 2 });
  });

  it('stores nothing when the decider refuses', async () => {
    const id = newStream();
    const refused = log.store.handle(
      { decider: accountDecider, stream: id, command: { type: 'Withdraw', amount: 1 } },
      context,
    );
    await expect(refused).rejects.toMatchObject({ refusal: { kind: 'conflict', code: 'INSUFFICIENT' } });
    expect(await log.store.readStream(id)).toEqual([]);
  });

  it('gives fifty writers on one stream fifty consecutive versions', async () => {
    const id = newStream();
    await Promise.all(Array.from({ length: 50 }, () => log.store.handle(deposit(id, 1), context)));
    const events = await log.store.readStream(id);
    expect(events.map(({ version }) => version)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(await log.store.load(accountDecider, id)).toEqual({ state: { owner: undefined, balance: 50 }, version: 50 });
  });

  it('holds the version that the client named against the stream', async () => {
    const id = newStream();
    await log.store.handle(deposit(id, 1), { ...context, expectedVersion: 0 });
    const late = log.store.handle(deposit(id, 1), { ...context, expectedVersion: 0 });
    await expect(late).rejects.toThrow(VersionConflict);
    await expect(late).rejects.toMatchObject({ stream: id, expectedVersion: 0, actualVersion: 1 });
  });

  it('answers a repeated command with its first result and does nothing', async () => {
    const id = newStream();
    const once = { ...context, commandId: randomUUID(), requestHash: 'a' };
    const first = await log.store.handle(deposit(id, 5), once);
    await log.store.handle(deposit(id, 7), context);
    const again = await log.store.handle(deposit(id, 5), once);
    expect(again).toEqual({ ...first, replayed: true });
    expect((await log.store.load(accountDecider, id)).state.balance).toBe(12);
  });

  it('lets one of two concurrent repeats act, and answers both alike', async () => {
    const once = { ...context, commandId: randomUUID() };
    // As when a handler makes a new id for each try: the streams differ, the command does not.
    const results = await Promise.all([newStream(), newStream()].map((id) => log.store.handle(deposit(id, 5), once)));
    expect(results.map(({ replayed }) => replayed).sort()).toEqual([false, true]);
    expect(results[0]!.events).toEqual(results[1]!.events);
  });

  it('remembers a command for seven days', async () => {
    const [old, young] = [randomUUID(), randomUUID()];
    for (const commandId of [old, young]) {
      await log.store.handle(deposit(newStream(), 5), { ...context, commandId });
    }
    await log.dataSource.query(`update commands set at = now() - make_interval(hours => 7 * 24 - 1) where id = $1`, [
      young,
    ]);
    await log.dataSource.query(`update commands set at = now() - make_interval(hours => 7 * 24 + 1) where id = $1`, [
      old,
    ]);
    await log.stop();
    log = await open();
    log.start();
    await eventually('the old one is forgotten', async () => {
      const ids = (await log.dataSource.query('select id from commands')) as { id: string }[];
      expect(ids.map(({ id }) => id)).toContain(young);
      return !ids.some(({ id }) => id === old);
    });
  });

  it('refuses an idempotency key that is used for another request', async () => {
    const once = { ...context, commandId: randomUUID(), requestHash: 'a' };
    await log.store.handle(deposit(newStream(), 5), once);
    const other = log.store.handle(deposit(newStream(), 6), { ...once, requestHash: 'b' });
    await expect(other).rejects.toMatchObject({ refusal: { kind: 'unprocessable', code: 'IDEMPOTENCY_KEY_REUSED' } });
  });

  it('appends to several streams or to none', async () => {
    const [from, to] = [newStream(), newStream()];
    await log.store.handle(deposit(from, 10), context);
    const withdraw = (amount: number) =>
      ({ decider: accountDecider, stream: from, command: { type: 'Withdraw', amount } }) as const;
    const [paid, received] = await log.store.handleAll([withdraw(4), deposit(to, 4)], context);
    expect([paid.state.balance, received.state.balance]).toEqual([6, 4]);
    await expect(log.store.handleAll([deposit(to, 99), withdraw(99)], context)).rejects.toThrow(CommandRefused);
    expect((await log.store.load(accountDecider, to)).state.balance).toBe(4);
  });

  it('holds a stream that is only looked at as it was, until the others are written', async () => {
    // Money is sent only from open accounts, and an account that sends is not closed in the same moment.
    type Door = { type: 'Closed'; data: object } | { type: 'Passed'; data: object };
    const door: Decider<{ closed: boolean }, 'look' | 'close', Door> = {
      kind: 'door',
      initial: { closed: false },
      decide: (state, command) =>
        command === 'close'
          ? { events: [{ type: 'Closed', data: {} }] }
          : state.closed
            ? { refusal: { kind: 'conflict', code: 'CLOSED', message: 'closed' } }
            : { events: [] },
      evolve: (state, event) => (event.type === 'Closed' ? { closed: true } : state),
    };
    const passer: Decider<null, 'pass', Door> = {
      kind: 'passer',
      initial: null,
      decide: () => ({ events: [{ type: 'Passed', data: {} }] }),
      evolve: () => null,
    };
    const rounds = Array.from({ length: 25 }, async () => {
      const [doorId, passerId] = [newStream(), newStream()];
      const pass = log.store.handleAll(
        [
          { decider: door, stream: doorId, command: 'look' },
          { decider: passer, stream: passerId, command: 'pass' },
        ],
        context,
      );
      const close = log.store.handle({ decider: door, stream: doorId, command: 'close' }, context);
      const [passed] = await Promise.allSettled([pass, close]);
      return passed.status === 'rejected' ? [] : [{ doorId, passerId }];
    });
    const passes = (await Promise.all(rounds)).flat();
    const numbered = async () => {
      const [{ total }] = (await log.dataSource.query('select count(*) as total from events')) as [{ total: number }];
      return (await log.store.head()) === total;
    };
    await eventually('all are numbered', numbered);
    const order = await log.store.readLog({ afterSeq: 0, limit: 10_000, types: ['Closed', 'Passed'] });
    for (const { doorId, passerId } of passes) {
      const seqOf = (id: string) => order.find(({ stream: of }) => of === id)?.seq ?? Number.NaN;
      expect(seqOf(passerId)).toBeLessThan(seqOf(doorId));
    }
  });

  it('does not trust a no that is only remembered', async () => {
    const other = await openEventLog({ service: 'bank', url: database.url, catalog: accountCatalog, projections: [] });
    const id = newStream();
    await log.store.handle(deposit(id, 1), context);
    await other.store.handle(deposit(id, 10), context);
    const withdraw = { decider: accountDecider, stream: id, command: { type: 'Withdraw', amount: 11 } } as const;
    expect(await log.store.handle(withdraw, context)).toMatchObject({ version: 3, state: { balance: 0 } });
    await other.stop();
  });

  it('writes working state with the events, or neither', async () => {
    const id = newStream();
    const failing = log.store.handle(deposit(id, 1), context, {
      within: async (manager, [handled]) => {
        expect(handled!.version).toBe(1);
        await manager.query('select 1/0');
      },
    });
    await expect(failing).rejects.toThrow('division by zero');
    expect(await log.store.readStream(id)).toEqual([]);
  });

  it("joins a consumer's transaction", async () => {
    const id = newStream();
    const outside = log.dataSource.transaction(async (manager) => {
      await log.store.handle(deposit(id, 1), context, { transaction: manager });
      expect(await log.store.readStream(id)).toEqual([]);
      await log.store.handle(deposit(id, 2), context, { transaction: manager });
    });
    await outside;
    expect((await log.store.readStream(id)).map(({ version }) => version)).toEqual([1, 2]);
  });

  it.each([
    ['NUL', 'a\0b', 'NOT_STORABLE'],
    ['a lone surrogate', 'a\ud800', 'NOT_STORABLE'],
    ['NaN', Number.NaN, 'NOT_STORABLE'],
    ['five mebibytes', 'x'.repeat(5 * 1024 * 1024), 'EVENT_TOO_LARGE'],
  ])('refuses data with %s before anything is stored', async (_what, owner, code) => {
    const id = newStream();
    const decider: Decider<null, unknown, { type: 'AccountOpened'; data: object }> = {
      kind: 'account',
      initial: null,
      decide: () => ({ events: [{ type: 'AccountOpened', data: { owner } }] }),
      evolve: () => null,
    };
    const refused = log.store.handle({ decider, stream: id, command: {} }, context);
    await expect(refused).rejects.toMatchObject({ refusal: { code } });
    expect(await log.store.readStream(id)).toEqual([]);
  });

  it('shares commits among blind appends, and numbers every one of them', async () => {
    const ids = Array.from({ length: 40 }, newStream);
    const before = await log.store.head();
    const appended = await Promise.all(
      Array.from({ length: 400 }, (_, index) =>
        log.store.appendBlind(ids[index % ids.length]!, [{ type: 'Deposited', data: { amount: index } }], context),
      ),
    );
    expect(appended.filter(({ version }) => version === 10)).toHaveLength(40);
    await eventually('all are numbered', async () => (await log.store.head()) >= before + 400);
    for (const id of ids) {
      const versions = (await log.store.readStream(id)).map(({ version }) => version);
      expect(versions).toEqual(Array.from({ length: 10 }, (_, index) => index + 1));
    }
  });

  it('refuses to change or remove an event', async () => {
    await expect(log.dataSource.query(`update events set type = 'Other'`)).rejects.toThrow('append-only');
    await expect(log.dataSource.query('delete from log_order')).rejects.toThrow('append-only');
    await expect(log.dataSource.query('truncate events')).rejects.toThrow('append-only');
  });
});
