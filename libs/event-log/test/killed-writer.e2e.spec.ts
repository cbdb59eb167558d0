import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openEventLog, type Projection } from '../src/index';
import { accountCatalog, eventually, openTestDatabase, type TestDatabase } from '../src/testing/index';

const { balances, turnover } = jest.requireActual<{ balances: Projection; turnover: Projection }>('./projections.cjs');

interface Acknowledged {
  ready?: boolean;
  stream: string;
  version: number;
  mark?: string;
  id?: string;
}

/** Lets a writer acknowledge so many appends and kills it, in the middle of whatever it is doing. */
async function killAfter(url: string, round: number, acknowledgements: number): Promise<Acknowledged[]> {
  const writer = spawn(process.execPath, [join(__dirname, 'writer.cjs'), url, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged: Acknowledged[] = [];
  const lines = createInterface({ input: writer.stdout });
  lines.on('line', (line) => {
    const said = JSON.parse(line) as Acknowledged;
    if (!said.ready) acknowledged.push(said);
    if (acknowledged.length === acknowledgements) writer.kill('SIGKILL');
  });
  const ended = once(lines, 'close');
  const [, signal] = (await once(writer, 'exit')) as [number | null, string | null];
  await ended;
  expect(signal).toBe('SIGKILL');
  return acknowledged;
}

describe('a process killed in the middle of group commits', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await openTestDatabase();
  });
  afterAll(() => database.drop());

  it('has lost nothing that it acknowledged, and left no gap and no half-done work', async () => {
    const acknowledged: Acknowledged[] = [];
    for (const [round, count] of [1, 37, 200, 411, 1_000].entries()) {
      acknowledged.push(...(await killAfter(database.url, round, count)));
    }
    const log = await openEventLog({
      service: 'bank',
      url: database.url,
      catalog: accountCatalog,
      projections: [balances, turnover],
    });
    log.start();
    const [{ total }] = (await log.dataSource.query('select count(*) as total from events')) as [{ total: number }];
    await eventually('all that was committed is numbered', async () => (await log.store.head()) === total);

    const events = await log.store.readLog({ afterSeq: 0, limit: 10_000 });
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: total }, (_, index) => index + 1));
    const versions = new Map<string, number>();
    for (const { stream, version } of events) {
      expect(version).toBe((versions.get(stream) ?? 0) + 1);
      versions.set(stream, version);
    }
    const stored = new Map(events.map((event) => [`${event.stream} ${event.version}`, event]));
    for (const { stream, version, mark, id } of acknowledged) {
      const event = stored.get(`${stream} ${version}`);
      expect((event?.data as { mark?: string }).mark).toBe(mark);
      if (id) expect(event?.id).toBe(id);
    }

    const rows = (await log.dataSource.query('select account, version from balances')) as {
      account: string;
      version: number;
    }[];
    expect(new Map(rows.map(({ account, version }) => [account, version]))).toEqual(versions);
    await log.waitForProjection('turnover');
    expect(await log.dataSource.query('select count, seq from turnover')).toEqual([{ count: total, seq: total }]);
    expect(await log.verify()).toMatchObject({ ok: true, events: total });
    await log.stop();
  });
});
