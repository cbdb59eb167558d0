import { Client, Pool, types, type PoolClient, type PoolConfig } from 'pg';
import { DataSource, type EntityManager, type MigrationInterface } from 'typeorm';
import { outliveLoss } from './connections';
import { lockKey } from './ids';
import { EventLog1764000000000 } from './migrations/event-log.migration';
import { EventPages1764100000000 } from './migrations/event-pages.migration';

const INT8_OID = 20;
const SCHEMA_NAME = /^[a-z][a-z0-9_]{0,62}$/;

/** bigint columns are numbers where they are safe; the log's own (seq, version) always are. */
const typeParsers: PoolConfig['types'] = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8_OID && format !== 'binary' ? parseInt8 : types.getTypeParser(oid, format),
} as PoolConfig['types'];

export interface DatabaseOptions {
  service: string;
  url: string;
  poolSizeMax: number;
  entities: readonly (new () => object)[];
  migrations: readonly (new () => MigrationInterface)[];
}

/** Two pools on one schema: the service's, and one connection for what goes on behind it. */
export interface Database {
  dataSource: DataSource;
  pool: Pool;
  background: Pool;
}

/**
 * Makes the schema and brings it up to date, one process at a time, and opens the pools.
 *
 * @param whileLocked runs after the migrations, before another process may look at the schema.
 */
export async function openDatabase(
  options: DatabaseOptions,
  whileLocked: (database: Database) => Promise<void>,
): Promise<Database> {
  if (!SCHEMA_NAME.test(options.service))
    throw new Error(`${options.service} cannot be the name of a service's schema`);
  const gate = new Client({ connectionString: options.url, application_name: `mledger ${options.service} set-up` });
  outliveLoss(gate);
  await gate.connect();
  try {
    await gate.query(`select pg_advisory_lock(${lockKey(options.service, 'migrate', '')})`);
    await gate.query(`create schema if not exists "${options.service}"`);
    const database = await connect(options);
    try {
      await database.dataSource.runMigrations({ transaction: 'each' });
      await whileLocked(database);
    } catch (error) {
      await closeDatabase(database);
      throw error;
    }
    return database;
  } finally {
    await gate.end();
  }
}

export async function closeDatabase({ dataSource, background }: Database): Promise<void> {
  await background.end();
  if (dataSource.isInitialized) await dataSource.destroy();
}

/** The connection that a TypeORM transaction runs on. */
export async function connectionOf(manager: EntityManager): Promise<PoolClient> {
  if (!manager.queryRunner) throw new Error('a transaction is needed: this manager has no connection of its own');
  return (await manager.queryRunner.connect()) as PoolClient;
}

async function connect(options: DatabaseOptions): Promise<Database> {
  const connection = {
    application_name: `mledger ${options.service}`,
    // No query in parallel: see docs/adr/0017.
    options: `-c search_path=${options.service} -c timezone=UTC -c datestyle=ISO -c max_parallel_workers_per_gather=0`,
    types: typeParsers,
  };
  const dataSource = new DataSource({
    type: 'postgres',
    url: options.url,
    extra: { ...connection, max: options.poolSizeMax },
    entities: [...options.entities],
    migrations: [EventLog1764000000000, EventPages1764100000000, ...options.migrations],
    migrationsTableName: 'migrations',
    synchronize: false,
    installExtensions: false,
  });
  await dataSource.initialize();
  const background = new Pool({ connectionString: options.url, max: 1, ...connection });
  // An idle connection that the server ended is replaced at the next use.
  background.on('error', () => undefined);
  const pool = (dataSource.driver as unknown as { master: Pool }).master;
  for (const each of [pool, background]) each.on('connect', outliveLoss);
  return { dataSource, pool, background };
}

function parseInt8(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}
