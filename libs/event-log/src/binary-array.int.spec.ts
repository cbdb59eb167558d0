import { Client } from 'pg';
import { int2Array, int4Array, int8Array, textArray } from './binary-array';
import { openTestDatabase, type TestDatabase } from './testing/open-test-database';

describe('arrays in binary form', () => {
  let database: TestDatabase;
  let client: Client;

  beforeAll(async () => {
    database = await openTestDatabase();
    client = new Client({ connectionString: database.url });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it.each([
    ['text', textArray, [[], [''], ['a', null, '"quoted" \\ {x,y}', 'ü😀\n', 'NULL', 'null']]],
    ['int2', int2Array, [[], [-32768, 0, 32767]]],
    ['int4', int4Array, [[], [-2147483648, 1, 2147483647]]],
    ['int8', int8Array, [[], [-(2n ** 63n), null, 2n ** 63n - 1n]]],
  ] as [string, (values: never[]) => Buffer, unknown[][]][])(
    'are what Postgres takes for %s',
    async (type, encode, cases) => {
      for (const values of cases) {
        const { rows } = await client.query<{ json: unknown[] }>(
          `select (select coalesce(json_agg(x::text), '[]') from unnest($1::${type}[]) as x) as json`,
          [encode(values as never[])],
        );
        expect(rows[0]!.json).toEqual(values.map((value) => (value === null ? null : String(value))));
      }
    },
  );
});
