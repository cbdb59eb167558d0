import { randomUUID } from 'node:crypto';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { CommandContext } from './command-handler';
import { openEventLog, type EventLog } from './event-log';
import { stream } from './ids';
import type { Projection } from './projections/projection';
import { accountCatalog, type AccountEvent } from './testing/account';
import { eventually } from './testing/eventually';
import { openTestDatabase, type TestDatabase } from './testing/open-test-database';

@Entity({ name: 'last_deposit' })
class LastDeposit {
  @PrimaryColumn('text') account!: string;
  @Column('double precision') amount!: number;
}

const POISON = 666;
const lastDeposit: Projection<LastDeposit> = {
  name: 'last_deposit',
  mode: 'inline',
  entity: LastDeposit,
  types: ['Deposited'],
  project(event) {
    const { data, stream: account } = event as unknown as { data: { amount: number }; stream: string };
    if (data.amount === POISON) throw new Error('cannot be projected');
    return [{ put: { account, amount: data.amount } }];
  },
};

const context: CommandContext = { tenant: 'acme', actor: 'user:ann', cause: 'request-1', correlation: 'loop-1' };
const newStream = () => stream('acme', 'account', randomUUID());
const deposited = (amount: number): AccountEvent => ({ type: 'Deposited', data: { amount } });

describe('group commit', () => {
  let database: TestDatabase;
  let log: EventLog;

  beforeAll(async () => {
    database = await openTestDatabase();
    log = await openEventLog({
      service: 'bank',
      url: database.url,
      catalog: accountCatalog,
      projections: [lastDeposit],
    });
    log.start();
  });
  afterAll(async () => {
    await log.stop();
    await database.drop();
  });

  it('answers neighbours of an append that cannot be stored, in its stream and in others', async () => {
    const id = newStream();
    const outcomes = await Promise.allSettled([
      log.store.appendBlind(id, [deposited(1)], context),
      log.store.appendBlind(id, [deposited(2)], { ...context, actor: 'user:\ud800' }),
      log.store.appendBlind(newStream(), [deposited(3)], { ...context, traceparent: '\0' }),
      log.store.appendBlind(newStream(), [deposited(4)], context),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(await log.store.readStream(id)).toHaveLength(1);
  });

  it('keeps the events of one append together and in order, and answers with their last version', async () => {
    const id = newStream();
    const appended = await Promise.all([
      log.store.appendBlind(id, [deposited(1), deposited(2)], context),
      log.store.appendBlind(id, [deposited(3)], { ...context, actor: 'user:bob', traceparent: '00-aa-bb-01' }),
    ]);
    expect(appended).toEqual([{ version: 2 }, { version: 3 }]);
    const events = await log.store.readStream(id);
    expect(events.map(({ data }) => (data as { amount: number }).amount)).toEqual([1, 2, 3]);
    expect(events.map(({ actor, traceparent }) => [actor, traceparent])).toEqual([
      ['user:ann', undefined],
      ['user:ann', undefined],
      ['user:bob', '00-aa-bb-01'],
    ]);
  });

  it('projects inline in the same transaction', async () => {
    const id = newStream();
    await log.store.appendBlind(id, [deposited(1), deposited(7)], context);
    expect(await log.dataSource.getRepository(LastDeposit).findOneByOrFail({ account: id })).toEqual({
      account: id,
      amount: 7,
    });
  });

  it('fails one stream without its neighbours', async () => {
    const ids = Array.from({ length: 20 }, newStream);
    const results = await Promise.allSettled(
      ids.map((id, index) => log.store.appendBlind(id, [deposited(index === 13 ? POISON : index)], context)),
    );
    expect(results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([13]);
    const lengths = await Promise.all(ids.map(async (id) => (await log.store.readStream(id)).length));
    expect(lengths).toEqual(ids.map((_, index) => (index === 13 ? 0 : 1)));
  });

  it('refuses what is too large or ill-formed to its caller alone', async () => {
    const owner = 'x'.repeat(5 * 1024 * 1024);
    const good = log.store.appendBlind(newStream(), [deposited(1)], context);
    const large = log.store.appendBlind(newStream(), [{ type: 'AccountOpened', data: { owner } }], context);
    const crowd = log.store.appendBlind(
      newStream(),
      Array.from({ length: 1001 }, () => deposited(1)),
      context,
    );
    await expect(large).rejects.toMatchObject({ refusal: { kind: 'too-large', code: 'EVENT_TOO_LARGE' } });
    await expect(crowd).rejects.toMatchObject({ refusal: { kind: 'too-large', code: 'APPEND_TOO_LARGE' } });
    expect(await good).toEqual({ version: 1 });
  });

  it('answers a repeat of an append that has an id without appending again', async () => {
    const id = newStream();
    const once = { ...context, commandId: randomUUID() };
    expect(await log.store.appendBlind(id, [deposited(1)], once)).toEqual({ version: 1 });
    expect(await log.store.appendBlind(id, [deposited(1)], once)).toEqual({ version: 1 });
    expect(await log.store.readStream(id)).toHaveLength(1);
  });

  it('finishes what callers wait for before it stops', async () => {
    const other = await openEventLog({
      service: 'other',
      url: database.url,
      catalog: accountCatalog,
      projections: [],
    });
    const appended = Promise.all(
      Array.from({ length: 600 }, (_, index) => other.store.appendBlind(newStream(), [deposited(index)], context)),
    );
    await other.stop();
    expect(await appended).toHaveLength(600);
  });

  it('hashes in Postgres what verify hashes here, whatever the text', async () => {
    for (const owner of ['', 'ü "quoted" \\ back', 'line\nbreak\t\u0001\u007f', '😀 \u2028', '</script>']) {
      await log.store.appendBlind(
        stream('acme', 'account', `key ${owner} "x"`),
        [{ type: 'AccountOpened', data: { owner, nested: { [owner]: [1e21, -0, 0.1] } } }],
        context,
      );
    }
    const written = (await log.dataSource.query('select count(*) as n from events')) as [{ n: number }];
    await eventually('all are numbered', async () => (await log.store.head()) === written[0].n);
    expect(await log.verify()).toMatchObject({ ok: true, events: written[0].n });
  });
});
