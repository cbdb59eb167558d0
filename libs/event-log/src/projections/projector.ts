import type { DataSource, EntityManager } from 'typeorm';
import type { Recorded } from '../event';
import type { Projection } from './projection';
import { projectionTable, quoteName, type ProjectionColumn, type ProjectionTable, type Sql } from './projection-table';
import { foldChanges, keysToRead } from './row-changes';

/**
 * Applies events to a projection's rows in the caller's transaction: one read of the rows that are asked for, one upsert, one
 * delete. Events of other types are passed over. Of an event that is there twice, the second is dropped; between calls the caller
 * keeps the position.
 */
export async function applyProjection<Row extends object>(
  manager: EntityManager,
  projection: Projection<Row>,
  events: readonly Recorded[],
): Promise<void> {
  await projectInto(manager.dataSource, manager, projection, events, projection.name);
}

/** The same on a bare connection, and into a named table: the live view, or one that is being rebuilt. */
export async function projectInto<Row extends object>(
  dataSource: DataSource,
  sql: Sql,
  projection: Projection<Row>,
  events: readonly Recorded[],
  target: string,
): Promise<void> {
  const changes = withoutRepeats(events)
    .filter(({ type }) => projection.types.includes(type))
    .flatMap((event) => projection.project(event));
  if (changes.length === 0) return;
  const table = projectionTable(dataSource, projection);
  const completed = changes.map((change) => {
    if ('put' in change) return { put: table.complete(change.put) };
    if ('remove' in change) return change;
    return {
      change: change.change,
      by: (row: Row | undefined) => {
        const next = change.by(row);
        return next === undefined ? undefined : table.complete(next);
      },
    };
  });
  const needed = keysToRead(completed, table.keyOf);
  const present = needed.size > 0 ? await readRows(dataSource, sql, table, target, [...needed.values()]) : new Map();
  const { put, removed } = foldChanges(completed, present, table.keyOf);
  // In key order, so that two transactions that share rows cannot wait for each other.
  if (removed.size > 0) await deleteRows(dataSource, sql, table, target, inKeyOrder(removed));
  if (put.size > 0) await upsertRows(dataSource, sql, table, target, inKeyOrder(put));
}

function withoutRepeats(events: readonly Recorded[]): Recorded[] {
  const seen = new Set<string>();
  return events.filter(({ id }) => !seen.has(id) && seen.add(id));
}

function inKeyOrder<Row>(rows: ReadonlyMap<string, Row>): Row[] {
  return [...rows.keys()].sort().map((key) => rows.get(key)!);
}

async function readRows<Row extends object>(
  dataSource: DataSource,
  sql: Sql,
  table: ProjectionTable<Row>,
  target: string,
  keys: readonly Partial<Row>[],
): Promise<Map<string, Row>> {
  const columns = table.columns.filter(({ generated }) => !generated);
  const found = await rowsOf(
    sql.query(
      `select ${columns.map(({ name }) => `t.${quoteName(name)}`).join(', ')} from ${quoteName(target)} t
         join json_populate_recordset(null::${quoteName(target)}, $1::json) k on ${joinOnKey(table.primary)}`,
      [encodeRows(dataSource, table.primary, keys)],
    ),
  );
  const rows = new Map<string, Row>();
  for (const raw of found) {
    const row: Record<string, unknown> = {};
    for (const { property, name, metadata } of columns) {
      row[property] = dataSource.driver.prepareHydratedValue(raw[name], metadata) as unknown;
    }
    rows.set(table.keyOf(row as Row), row as Row);
  }
  return rows;
}

async function upsertRows<Row extends object>(
  dataSource: DataSource,
  sql: Sql,
  table: ProjectionTable<Row>,
  target: string,
  rows: readonly Row[],
): Promise<void> {
  const columns = table.columns.filter(({ generated }) => !generated);
  const names = columns.map(({ name }) => quoteName(name)).join(', ');
  const others = columns.filter(({ metadata }) => !metadata.isPrimary).map(({ name }) => quoteName(name));
  await sql.query(
    `insert into ${quoteName(target)} (${names})
     select ${names} from json_populate_recordset(null::${quoteName(target)}, $1::json)
     on conflict (${table.primary.map(({ name }) => quoteName(name)).join(', ')})
     do ${others.length > 0 ? `update set ${others.map((name) => `${name} = excluded.${name}`).join(', ')}` : 'nothing'}`,
    [encodeRows(dataSource, columns, rows)],
  );
}

async function deleteRows<Row extends object>(
  dataSource: DataSource,
  sql: Sql,
  table: ProjectionTable<Row>,
  target: string,
  keys: readonly Partial<Row>[],
): Promise<void> {
  await sql.query(
    `delete from ${quoteName(target)} t using json_populate_recordset(null::${quoteName(target)}, $1::json) k
      where ${joinOnKey(table.primary)}`,
    [encodeRows(dataSource, table.primary, keys)],
  );
}

function joinOnKey(primary: readonly ProjectionColumn[]): string {
  return primary.map(({ name }) => `t.${quoteName(name)} = k.${quoteName(name)}`).join(' and ');
}

/** Rows as one JSON text; Postgres turns each value into its column's type. */
function encodeRows(dataSource: DataSource, columns: readonly ProjectionColumn[], rows: readonly object[]): string {
  const encoded = rows.map((row) => {
    const values: Record<string, unknown> = {};
    for (const column of columns)
      values[column.name] = encodeValue(dataSource, column, (row as Record<string, unknown>)[column.property]);
    return values;
  });
  return JSON.stringify(encoded);
}

function encodeValue(dataSource: DataSource, column: ProjectionColumn, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  // TypeORM would write a document as text, which would arrive as a JSON string.
  const plain = column.json ? value : (dataSource.driver.preparePersistentValue(value, column.metadata) as unknown);
  if (column.json) return plain;
  // JSON has neither non-finite numbers nor, in JavaScript's hands, negative zero; Postgres reads them as text.
  if (typeof plain === 'number' && (!Number.isFinite(plain) || Object.is(plain, -0)))
    return Object.is(plain, -0) ? '-0' : `${plain}`;
  if (typeof plain === 'bigint') return `${plain}`;
  return Buffer.isBuffer(plain) ? `\\x${plain.toString('hex')}` : plain;
}

async function rowsOf(result: Promise<unknown>): Promise<Record<string, unknown>[]> {
  const value = await result;
  // TypeORM answers with the rows, pg with a result that holds them.
  return (Array.isArray(value) ? value : (value as { rows: unknown[] }).rows) as Record<string, unknown>[];
}
