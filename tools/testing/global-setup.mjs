import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * One throw-away Postgres for a whole jest run, at MLEDGER_TEST_DATABASE_URL; `npm test` starts one for all
 * projects and sets the variable, so then there is none to start. Unit-only runs pay two seconds for the simplicity.
 */
export default async function startSharedPostgres({ rootDir }) {
  // jest writes its --outputFile only into a folder that exists.
  mkdirSync(join(rootDir, 'test-results'), { recursive: true });
  if (process.env.MLEDGER_TEST_DATABASE_URL) return;
  const { startTestPostgres } = await import('@mledger/infra');
  const postgres = await startTestPostgres();
  process.env.MLEDGER_TEST_DATABASE_URL = postgres.url;
  globalThis.mledgerTestPostgres = postgres;
}
