import { openTestDatabase, type TestDatabase } from '@mledger/event-log/testing';
import type { BusLogger, BusMessage } from '../event-bus';
import { Spool } from './spool';

const silent: BusLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const message = (text: string): BusMessage => ({ key: 'k', headers: {}, value: Buffer.from(text) });
const { signal } = new AbortController();

describe('the spool', () => {
  let database: TestDatabase;
  const spools: Spool[] = [];
  const open = async (): Promise<Spool> => {
    const spool = await Spool.open(database.url, silent);
    spools.push(spool);
    return spool;
  };

  beforeEach(async () => {
    database = await openTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(spools.splice(0).map((spool) => spool.close()));
    await database.drop();
  });

  it('forgets by age, per topic, and never gives a position twice', async () => {
    const spool = await open();
    await spool.ensureTopic('short', 0);
    await spool.ensureTopic('long', 60_000);
    await spool.ensureTopic('for ever', -1);
    for (const topic of ['short', 'long', 'for ever']) await spool.topic(topic).publish([message('1'), message('2')]);
    await spool.expire();
    expect(await spool.topic('short').range()).toEqual({ low: 2, high: 2 });
    expect(await spool.topic('long').range()).toEqual({ low: 0, high: 2 });
    expect(await spool.topic('for ever').range()).toEqual({ low: 0, high: 2 });
    await spool.topic('short').publish([message('3')]);
    expect((await spool.topic('short').read(0, 10)).map(({ offset }) => offset)).toEqual(['2']);
  });

  it('is made once when processes come at the same time', async () => {
    const opened = await Promise.all([open(), open(), open()]);
    await opened[0]!.ensureTopic('t', -1);
    await opened[1]!.topic('t').publish([message('1')]);
    expect(await opened[2]!.topic('t').read(0, 10)).toHaveLength(1);
  });

  it('shows a reader every message in order, while others write', async () => {
    const [reader, ...writers] = await Promise.all([open(), open(), open()]);
    await reader!.ensureTopic('t', -1);
    const seen: string[] = [];
    const written = Promise.all(
      writers.map(async (writer, w) => {
        for (let i = 0; i < 100; i += 1) await writer.topic('t').publish([message(`${w}:${i}`), message(`${w}:${i}b`)]);
      }),
    );
    const source = reader!.topic('t');
    const read = async (): Promise<void> => {
      const messages = await source.read(seen.length, 50);
      expect(messages.map(({ offset }) => Number(offset))).toEqual(messages.map((_, i) => seen.length + i));
      seen.push(...messages.map(({ value }) => value.toString()));
    };
    let writing = true;
    void written.finally(() => (writing = false)).catch(() => undefined);
    while (writing) await read();
    await written;
    while (seen.length < 400) await read();
    for (const w of ['0', '1']) {
      const own = seen.filter((text) => text.startsWith(`${w}:`));
      expect(own).toEqual(Array.from({ length: 100 }, (_, i) => [`${w}:${i}`, `${w}:${i}b`]).flat());
    }
  });

  it('reads no more than 4 MiB at once, but at least one message', async () => {
    const spool = await open();
    await spool.ensureTopic('t', -1);
    const large = { key: 'k', headers: {}, value: Buffer.alloc(3 * 1024 * 1024) };
    const huge = { key: 'k', headers: {}, value: Buffer.alloc(5 * 1024 * 1024) };
    await spool.topic('t').publish([message('1'), large, large, huge]);
    const offsets = async (from: number) => (await spool.topic('t').read(from, 10)).map(({ offset }) => offset);
    expect(await offsets(0)).toEqual(['0', '1']);
    expect(await offsets(2)).toEqual(['2']);
    expect(await offsets(3)).toEqual(['3']);
    expect(await offsets(4)).toEqual([]);
    await spool.topic('t').reached(3, signal);
  });
});
