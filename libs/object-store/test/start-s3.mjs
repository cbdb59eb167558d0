import infra from '@mledger/infra';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One S3 server for the run, unless the runner shares one; without one CI fails, and elsewhere its suites are skipped. */
export default async function startSharedS3({ rootDir }) {
  // jest writes its --outputFile only into a folder that exists.
  mkdirSync(join(rootDir, 'test-results'), { recursive: true });
  if (process.env.MLEDGER_TEST_S3_ENDPOINT) return;
  const availability = await infra.s3Available();
  if (!availability.available) {
    if (process.env.CI === 'true') throw new Error(`CI needs an S3 server: ${availability.reason}`);
    console.warn(`\n*** No S3 server (${availability.reason}): its suites are SKIPPED. ***\n`);
    return;
  }
  const dataFolder = mkdtempSync(join(tmpdir(), 'object-store-s3-'));
  const server = await infra.startS3({ dataFolder });
  process.env.MLEDGER_TEST_S3_ENDPOINT = server.endpoint;
  process.env.MLEDGER_TEST_S3_ACCESS_KEY_ID = server.accessKeyId;
  process.env.MLEDGER_TEST_S3_SECRET_ACCESS_KEY = server.secretAccessKey;
  globalThis.mledgerTestS3 = { server, dataFolder };
}
