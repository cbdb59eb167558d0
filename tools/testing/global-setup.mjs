/**
 * One throw-away Postgres for a whole jest run, at MLEDGER_TEST_DATABASE_URL; `npm test` starts one for all
 * projects and sets the variable, so then this does nothing. Unit-only runs pay two seconds for the simplicity.
 */
export default async function startSharedPostgres() {
  if (process.env.MLEDGER_TEST_DATABASE_URL) return;
  const { startTestPostgres } = await import('@mledger/infra');
  const postgres = await startTestPostgres();
  process.env.MLEDGER_TEST_DATABASE_URL = postgres.url;
  globalThis.mledgerTestPostgres = postgres;
}
