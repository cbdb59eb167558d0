import { hash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { DataSource, type EntityManager } from 'typeorm';

/** A query that Postgres parses and plans once for each connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** @param text the same for ever: a connection knows the statement by its digest */
export function statement(text: string): Statement {
  return { name: `versioning_${hash('sha256', text, 'hex').slice(0, 24)}`, text };
}

/** Runs a statement on a connection of the pool, or on that of a transaction. @returns its rows */
export async function rowsOf<Row extends object>(
  source: DataSource | EntityManager,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  const { rows } = await (await connectionOf(source)).query<Row>({ name, text, values: [...values] });
  return rows;
}

async function connectionOf(source: DataSource | EntityManager): Promise<Pool | PoolClient> {
  if (source instanceof DataSource) return (source.driver as unknown as { master: Pool }).master;
  if (!source.queryRunner) throw new Error('this is no transaction: the manager has no connection of its own');
  return (await source.queryRunner.connect()) as PoolClient;
}
