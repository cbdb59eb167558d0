import { generateKeyPairSync } from 'node:crypto';
import type { CommandContext } from '../command-handler';
import { openEventLog, type EventLog } from '../event-log';
import { stream } from '../ids';
import { accountCatalog } from '../testing/account';
import { eventually } from '../testing/eventually';
import { openTestDatabase, type TestDatabase } from '../testing/open-test-database';
import { signCheckpoint, signerOf, type SignedCheckpoint } from './signer';

const context: CommandContext = { tenant: 'acme', actor: 'user:ann', cause: 'request-1', correlation: 'loop-1' };
const a = stream('acme', 'account', 'a');
const b = stream('acme', 'account', 'b');
const signer = signerOf(generateKeyPairSync('ed25519').privateKey);

/** What someone with all rights in the database would do to make the log agree with itself again. */
const RECOMPUTE = `
do $$
declare e record; previous bytea := decode(repeat('00', 32), 'hex'); of text := ''; n int := 0;
begin
  for e in select * from events order by stream, version loop
    if e.stream <> of then previous := decode(repeat('00', 32), 'hex'); of := e.stream; end if;
    previous := sha256(previous || convert_to(concat('{"data":', e.data, ',"meta":', e.meta, ',"schema":', e.schema,
      ',"stream":', to_json(e.stream)::text,
      ',"time":"', to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      '","type":', to_json(e.type)::text, ',"version":', e.version, '}'), 'UTF8'));
    update events set hash = previous where position = e.position;
    update streams set head_hash = previous, version = e.version where id = e.stream;
  end loop;
  create temp table numbered as select o.position from log_order o join events using (position) order by o.seq;
  delete from log_order;
  previous := decode(repeat('00', 32), 'hex');
  for e in select position, hash from numbered join events using (position) loop
    n := n + 1;
    previous := sha256(previous || e.hash);
    insert into log_order values (n, e.position, previous);
  end loop;
  update sequencer set seq = n, chain = previous;
end $$`;

describe('verify', () => {
  let database: TestDatabase;
  let log: EventLog;
  let published: SignedCheckpoint[];

  beforeEach(async () => {
    published = [];
    database = await openTestDatabase();
    log = await openEventLog({
      service: 'bank',
      url: database.url,
      catalog: accountCatalog,
      projections: [],
      signer,
      onCheckpoint: async (checkpoint) => void published.push(checkpoint),
    });
    log.start();
    // The start's own look for news comes before this one, on the same connection, and an empty log has none to sign; else
    // it could sign what is appended from here on.
    await log.checkpoint();
    for (let index = 0; index < 5; index += 1) {
      for (const id of [a, b])
        await log.store.appendBlind(id, [{ type: 'Deposited', data: { amount: index } }], context);
    }
    await eventually('all are numbered', async () => (await log.store.head()) === 10);
  });
  afterEach(async () => {
    await log.stop();
    await database.drop();
  });

  /** As an administrator: the guards are off for this session. */
  const tamper = async (...statements: string[]) => {
    const runner = log.dataSource.createQueryRunner();
    await runner.query('set session_replication_role = replica');
    for (const statement of statements) await runner.query(statement);
    await runner.query('reset session_replication_role');
    await runner.release();
  };
  const faultAfter = async (...statements: string[]) => {
    await tamper(...statements);
    const report = await log.verify();
    expect(report.ok).toBe(false);
    return report.fault;
  };

  it('finds nothing wrong with a log that was left alone, numbered or not', async () => {
    expect(await log.verify()).toMatchObject({ service: 'bank', ok: true, verifiedSeq: 10, events: 10, otherKeys: 0 });
    const older = log.dataSource.createQueryRunner();
    await older.startTransaction();
    await older.query('select pg_current_xact_id()');
    await log.store.appendBlind(a, [{ type: 'Deposited', data: { amount: 9 } }], context);
    expect(await log.verify()).toMatchObject({ ok: true, verifiedSeq: 10, events: 11 });
    await older.rollbackTransaction();
    await older.release();
  });

  it('finds a changed byte of an event', async () => {
    const fault = await faultAfter(
      `update events set data = replace(data::text, '2', '3')::json where stream = '${a}' and version = 3`,
    );
    expect(fault).toMatchObject({ kind: 'event-changed', seq: 5, stream: a, version: 3 });
  });

  it.each([
    ['who', `update events set meta = replace(meta::text, 'ann', 'bob')::json where stream = '${a}' and version = 2`],
    ['when', `update events set at = at + '1 ms' where stream = '${a}' and version = 2`],
    ['what', `update events set type = 'Withdrawn' where stream = '${a}' and version = 2`],
    ['white space', `update events set data = (data::text || ' ')::json where stream = '${a}' and version = 2`],
  ])('finds a change of %s', async (_what, statement) => {
    expect(await faultAfter(statement)).toMatchObject({ kind: 'event-changed', seq: 3, stream: a, version: 2 });
  });

  it('finds a removed event', async () => {
    const fault = await faultAfter(`delete from events where stream = '${b}' and version = 2`);
    expect(fault).toMatchObject({ kind: 'event-missing', seq: 4, stream: b, version: 2 });
  });

  it('finds an event that was removed together with its place in the order', async () => {
    const fault = await faultAfter(
      `delete from log_order where seq = 4`,
      `delete from events where stream = '${b}' and version = 2`,
    );
    expect(fault).toMatchObject({ kind: 'event-missing', seq: 4, stream: b, version: 2 });
  });

  it('finds a removed stream', async () => {
    const fault = await faultAfter(`delete from events where stream = '${b}'`);
    expect(fault).toMatchObject({ kind: 'event-missing', seq: 2, stream: b });
    expect(await faultAfter(`delete from streams where id = '${b}'`)).toMatchObject({ kind: 'event-missing', seq: 2 });
  });

  it('finds a stream that was removed with its places, the others numbered anew', async () => {
    const fault = await faultAfter(
      `delete from log_order where position in (select position from events where stream = '${b}')`,
      `delete from events where stream = '${b}'`,
      `delete from streams where id = '${b}'`,
      `update log_order o set seq = n.n from (select seq, row_number() over (order by seq) n from log_order) n where o.seq = n.seq`,
      `update sequencer set seq = 5`,
    );
    expect(fault).toMatchObject({ kind: 'order-changed', seq: 2 });
  });

  it('finds two events that changed places', async () => {
    const [{ p4 }, { p4: p7 }] = (await log.dataSource.query(
      `select position as p4 from log_order where seq in (4, 7) order by seq`,
    )) as { p4: number }[] as [{ p4: number }, { p4: number }];
    const fault = await faultAfter(
      `update log_order set position = -1 where seq = 4`,
      `update log_order set position = ${p4} where seq = 7`,
      `update log_order set position = ${p7} where seq = 4`,
    );
    expect(fault).toMatchObject({ kind: 'order-changed', seq: 4 });
  });

  it('finds two events of a stream that changed versions', async () => {
    const fault = await faultAfter(
      `update events set version = 99 where stream = '${a}' and version = 2`,
      `update events set version = 2 where stream = '${a}' and version = 3`,
      `update events set version = 3 where stream = '${a}' and version = 99`,
    );
    expect(fault).toMatchObject({ kind: 'event-changed', seq: 3, stream: a });
  });

  it('finds an event that was slipped in', async () => {
    const fault = await faultAfter(
      `insert into events (xid, stream, version, type, schema, data, meta, at, hash)
       select xid, 'acme/account:c', 1, type, schema, data, meta, at, hash from events where stream = '${a}' and version = 1`,
      `update sequencer set position = 1000`,
    );
    expect(fault).toMatchObject({ kind: 'event-inserted', stream: 'acme/account:c', version: 1 });
  });

  it('finds a last event that was cut off a stream before it was numbered', async () => {
    const fault = await faultAfter(
      `delete from log_order where seq = 10`,
      `delete from events where stream = '${b}' and version = 5`,
      `update sequencer set seq = 9, chain = (select chain from log_order where seq = 9)`,
    );
    expect(fault).toMatchObject({ kind: 'stream-head', stream: b, version: 5 });
  });

  describe('with a checkpoint that the user kept', () => {
    let kept: SignedCheckpoint;
    const appendMore = async () => {
      await log.store.appendBlind(a, [{ type: 'Deposited', data: { amount: 9 } }], context);
      await eventually('it is numbered', async () => (await log.store.head()) === 11);
    };

    beforeEach(async () => {
      kept = (await log.checkpoint())!;
      expect(kept).toMatchObject({ service: 'bank', seq: 10, keyId: signer.keyId });
      await appendMore();
    });

    it('holds it against the log', async () => {
      expect(await log.verify({ checkpoint: kept })).toMatchObject({ ok: true, verifiedSeq: 11 });
    });

    it('finds the whole chain recomputed in the database', async () => {
      const forge = [
        `update events set data = '{"amount":1000000}' where stream = '${b}' and version = 4`,
        RECOMPUTE,
        'delete from signed_checkpoints',
      ];
      await tamper(...forge);
      // Alone, the database is believed; the kept checkpoint is what it cannot forge.
      expect((await log.verify()).ok).toBe(true);
      const { fault } = await log.verify({ checkpoint: kept });
      expect(fault).toMatchObject({ kind: 'history-rewritten', seq: 1 });
      expect(fault!.message).toContain('from seq 1 to 10');
    });

    it('says after which checkpoint the rewriting begins', async () => {
      const later = (await log.checkpoint())!;
      await tamper(
        `update events set data = '{"amount":1000000}' where stream = '${a}' and version = 6`,
        RECOMPUTE,
        `delete from signed_checkpoints where seq = 11`,
      );
      const { fault } = await log.verify({ checkpoint: later });
      expect(fault).toMatchObject({ kind: 'history-rewritten', seq: 11 });
    });

    it('finds a tail that was cut off', async () => {
      await tamper(
        `delete from events where stream = '${b}' and version > 3`,
        RECOMPUTE,
        'delete from signed_checkpoints',
      );
      const { fault } = await log.verify({ checkpoint: { ...kept } });
      expect(fault).toMatchObject({ kind: 'tail-cut', seq: 10 });
    });

    it('finds a checkpoint that was signed by nobody, and counts those of another key', async () => {
      const { fault } = await log.verify({ checkpoint: { ...kept, seq: 9 } });
      expect(fault).toMatchObject({ kind: 'checkpoint-forged', seq: 9 });
      const stranger = signerOf(generateKeyPairSync('ed25519').privateKey);
      const theirs = await signCheckpoint(stranger, kept);
      expect(await log.verify({ checkpoint: theirs })).toMatchObject({ ok: true, otherKeys: 1 });
      expect((await log.verify({ checkpoint: { ...kept, service: 'registry' } })).ok).toBe(false);
    });
  });

  it('publishes each checkpoint once there is news, and no more', async () => {
    const first = await log.checkpoint();
    expect(await log.checkpoint()).toEqual(first);
    expect(published.filter(({ seq }) => seq === 10)).toEqual([first]);
  });
});
