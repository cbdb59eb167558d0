import { createHash } from 'node:crypto';
import type { DataSource, EntityMetadata } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata';
import type { Projection } from './projection';

/** What is done with a table: one connection or transaction, plain SQL. */
export interface Sql {
  query(text: string, values?: unknown[]): Promise<unknown>;
}

/** A projection's columns and keys as the entity declares them, and how rows travel to and from Postgres. */
export interface ProjectionTable<Row extends object = object> {
  readonly name: string;
  readonly columns: readonly ProjectionColumn[];
  readonly primary: readonly ProjectionColumn[];
  /** Changes with every change of the entity that the table would show. */
  readonly ddlHash: string;
  /** The statements that make a physical table of this shape under a name. */
  ddl(physicalName: string): string[];
  keyOf(row: Partial<Row>): string;
  /** The row as the columns hold it: a property left out is null. */
  complete(row: Row): Row;
}

export interface ProjectionColumn {
  readonly property: string;
  readonly name: string;
  readonly json: boolean;
  readonly generated: boolean;
  readonly metadata: ColumnMetadata;
}

const tables = new WeakMap<DataSource, Map<string, ProjectionTable>>();

/** The table of a projection, from its entity's TypeORM metadata; checked once. */
export function projectionTable<Row extends object>(
  dataSource: DataSource,
  projection: Pick<Projection<Row>, 'name' | 'entity'>,
): ProjectionTable<Row> {
  const known = tables.get(dataSource) ?? new Map<string, ProjectionTable>();
  tables.set(dataSource, known);
  const table = known.get(projection.name) ?? describeTable(dataSource, projection);
  known.set(projection.name, table);
  return table as unknown as ProjectionTable<Row>;
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function describeTable(
  dataSource: DataSource,
  projection: { name: string; entity: new () => object },
): ProjectionTable {
  const metadata = dataSource.getMetadata(projection.entity);
  assertProjectable(projection.name, metadata);
  const columns = metadata.columns.map((column) => ({
    property: column.propertyName,
    name: column.databaseName,
    json: column.type === 'json' || column.type === 'jsonb',
    generated: column.generatedType !== undefined,
    metadata: column,
  }));
  const primary = columns.filter((column) => column.metadata.isPrimary);
  const ddl = (physicalName: string) => writeDdl(dataSource, metadata, columns, physicalName);
  return {
    name: projection.name,
    columns,
    primary,
    ddlHash: createHash('sha256').update(ddl('t').join(';')).digest('hex'),
    ddl,
    keyOf: (row) => keyText(projection.name, primary, row as Record<string, unknown>),
    complete: (row) => completeRow(projection.name, columns, row as Record<string, unknown>),
  };
}

/** A rebuilt table must equal the live one, so nothing in it may come from anywhere but the events. */
function assertProjectable(name: string, metadata: EntityMetadata): void {
  const refuse = (why: string) => {
    throw new Error(`projection ${name}: ${why}`);
  };
  if (!/^[a-z][a-z0-9_]{0,50}$/.test(name)) refuse('the name must be snake case, at most 51 characters');
  if (metadata.tableName !== name) refuse(`its entity is named ${metadata.tableName}`);
  if (metadata.primaryColumns.length === 0) refuse('its entity has no primary key');
  if (metadata.relations.length > 0) refuse('its entity has relations; store the key of the other row instead');
  for (const column of metadata.columns) {
    const where = `column ${column.propertyName}`;
    if (column.isGenerated) refuse(`${where} is a serial; a rebuild would number anew`);
    if (column.default !== undefined) refuse(`${where} has a default; write the value in project()`);
    if (column.isCreateDate || column.isUpdateDate || column.isVersion)
      refuse(`${where} is set by TypeORM, not by events`);
    if (column.propertyPath !== column.propertyName) refuse(`${where} is embedded; use a column or jsonb`);
  }
}

function writeDdl(
  dataSource: DataSource,
  metadata: EntityMetadata,
  columns: readonly ProjectionColumn[],
  physicalName: string,
): string[] {
  const lines = columns.map(({ metadata: column, name }) => {
    const type = columnType(dataSource, column);
    const generated = column.asExpression ? ` generated always as (${column.asExpression}) stored` : '';
    return `${quoteName(name)} ${type}${column.collation ? ` collate ${quoteName(column.collation)}` : ''}${generated}${column.isNullable ? '' : ' not null'}`;
  });
  const list = (of: readonly ColumnMetadata[]) => of.map((column) => quoteName(column.databaseName)).join(', ');
  lines.push(`primary key (${list(metadata.primaryColumns)})`);
  metadata.uniques.forEach((unique) => lines.push(`unique (${list(unique.columns)})`));
  metadata.checks.forEach((check) => lines.push(`check (${check.expression})`));
  const indexes = metadata.indices.map((index) => {
    const using = index.type ? ` using ${index.type}` : index.isSpatial ? ' using gist' : '';
    const where = index.where ? ` where ${index.where}` : '';
    return `create ${index.isUnique ? 'unique ' : ''}index on ${quoteName(physicalName)}${using} (${list(index.columns)})${where}`;
  });
  return [`create table ${quoteName(physicalName)} (${lines.join(', ')})`, ...indexes];
}

function columnType(dataSource: DataSource, column: ColumnMetadata): string {
  const { driver } = dataSource;
  const type = driver.normalizeType(column);
  const bounds =
    column.precision !== undefined && column.precision !== null
      ? `(${column.precision}${column.scale === undefined ? '' : `, ${column.scale}`})`
      : column.length
        ? `(${column.length})`
        : '';
  const [head = type, ...tail] = type.split(' ');
  return `${[head + bounds, ...tail].join(' ')}${column.isArray ? '[]' : ''}`;
}

function keyText(name: string, primary: readonly ProjectionColumn[], row: Record<string, unknown>): string {
  return primary
    .map(({ property }) => {
      const value = row[property];
      if (value === undefined || value === null) throw new Error(`projection ${name}: a key without ${property}`);
      return JSON.stringify(value);
    })
    .join(',');
}

function completeRow(
  name: string,
  columns: readonly ProjectionColumn[],
  row: Record<string, unknown>,
): Record<string, unknown> {
  const complete: Record<string, unknown> = {};
  for (const { property, generated } of columns) if (!generated) complete[property] = row[property] ?? null;
  for (const property of Object.keys(row)) {
    if (!(property in complete) && row[property] !== undefined && !columns.some((c) => c.property === property)) {
      throw new Error(`projection ${name}: its entity has no column ${property}`);
    }
  }
  return complete;
}
