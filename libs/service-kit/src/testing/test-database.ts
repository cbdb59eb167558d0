import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A fresh database on the server that the test run has started (MLEDGER_TEST_DATABASE_URL). */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env.MLEDGER_TEST_DATABASE_URL;
  if (!server)
    throw new Error('MLEDGER_TEST_DATABASE_URL is not set: run tests through jest, whose set-up starts Postgres');
  const name = `kit_${randomBytes(8).toString('hex')}`;
  await onServer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.toString(), drop: () => onServer(server, `drop database if exists ${name} with (force)`) };
}

async function onServer(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
