import type { DataSource } from 'typeorm';
import { AccessDirectory } from './access-directory';

/** A table as Postgres would show it, and how often it was asked. */
function table() {
  const asked: string[] = [];
  let rows = [{ kind: 'tenant', tenant: 'acme', id: 'acme', version: 1 }];
  const query = async (sql: string) => {
    await new Promise((resolve) => setImmediate(resolve));
    asked.push(sql.includes('count(*)') ? 'mark' : 'rows');
    const mark = `${rows.length}:${rows.reduce((sum, row) => sum + row.version, 0)}`;
    return sql.includes('count(*)') ? [{ mark }] : rows;
  };
  const add = (id: string) => (rows = [...rows, { kind: 'tenant', tenant: id, id, version: 1 }]);
  return { asked, add, dataSource: { query } as unknown as DataSource };
}

describe('the access directory', () => {
  it('asks whether anything changed when it is older than 200 ms, and reads rows only when it did', async () => {
    const { asked, add, dataSource } = table();
    let nowMs = 1_000;
    const directory = new AccessDirectory(dataSource, () => nowMs);
    await directory.freshen();
    expect(directory.hasTenant('acme')).toBe(true);
    expect(asked).toEqual(['mark', 'rows']);
    add('other');
    nowMs += 199;
    await directory.freshen();
    expect([directory.hasTenant('other'), asked.length]).toEqual([false, 2]);
    nowMs += 2;
    await directory.freshen();
    expect([directory.hasTenant('other'), asked.length]).toEqual([true, 4]);
    nowMs += 201;
    await directory.freshen();
    expect(asked.slice(4)).toEqual(['mark']);
  });

  it('never asks twice at once, and shows everybody what was there when they came', async () => {
    const { asked, add, dataSource } = table();
    let nowMs = 1_000;
    const directory = new AccessDirectory(dataSource, () => nowMs++);
    const first = directory.freshenNow();
    add('later');
    const others = Array.from({ length: 100 }, () => directory.freshenNow());
    await Promise.all([first, ...others]);
    expect(directory.hasTenant('later')).toBe(true);
    expect(asked.length).toBeLessThanOrEqual(4);
  });

  it('passes on that it cannot be read, and tries again', async () => {
    let broken = true;
    const { dataSource } = table();
    const query = (sql: string) => (broken ? Promise.reject(new Error('no connection')) : dataSource.query(sql));
    const directory = new AccessDirectory({ query } as unknown as DataSource);
    await expect(directory.freshen()).rejects.toThrow('no connection');
    broken = false;
    await directory.freshen();
    expect(directory.hasTenant('acme')).toBe(true);
  });
});
