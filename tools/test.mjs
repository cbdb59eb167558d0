/**
 * `npm test`: starts one Postgres, Kafka and S3 server for every suite, runs the projects' tests through Nx (cached),
 * and ends with the sum of jest's own totals. Arguments go to Nx: `npm test -- -p event-log`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import infra from '@mledger/infra';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const resultFiles = ['libs', 'apps', 'tools'].flatMap((folder) =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name: project }) => join(root, folder, project, 'test-results/jest.json')),
);

/** Starts what can be had; what cannot fails CI, and elsewhere says loudly which suites will be skipped. */
async function startServers(scratchFolder) {
  console.log('Starting Postgres, Kafka and S3 for the tests (the first time, Kafka and S3 are fetched and built)…');
  const servers = [await infra.startTestPostgres()];
  const environment = { MLEDGER_TEST_DATABASE_URL: servers[0].url };
  const optional = [
    {
      name: 'Kafka',
      availability: await infra.kafkaAvailable(),
      start: async () => {
        const kafka = await infra.startKafka({ dataFolder: join(scratchFolder, 'kafka') });
        environment.MLEDGER_TEST_KAFKA_BROKERS = kafka.brokers;
        return kafka;
      },
    },
    {
      name: 'S3',
      availability: await infra.s3Available(),
      start: async () => {
        const s3 = await infra.startS3({ dataFolder: join(scratchFolder, 's3') });
        environment.MLEDGER_TEST_S3_ENDPOINT = s3.endpoint;
        environment.MLEDGER_TEST_S3_ACCESS_KEY_ID = s3.accessKeyId;
        environment.MLEDGER_TEST_S3_SECRET_ACCESS_KEY = s3.secretAccessKey;
        return s3;
      },
    },
  ];
  for (const { name, availability, start } of optional) {
    if (availability.available) servers.push(await start());
    else if (process.env.CI === 'true') throw new Error(`CI needs ${name}: ${availability.reason}`);
    else console.warn(`\n*** ${name} cannot be had here (${availability.reason}): its suites are SKIPPED. ***\n`);
  }
  return { servers, environment };
}

/** Adds up what jest itself counted in each project that has tests. */
function totals() {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const file of resultFiles.filter(existsSync)) {
    const result = JSON.parse(readFileSync(file, 'utf8'));
    sum.passed += result.numPassedTests;
    sum.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
    sum.skipped += result.numPendingTests;
  }
  return sum;
}

for (const file of resultFiles) rmSync(file, { force: true });
const scratchFolder = mkdtempSync(join(tmpdir(), 'mledger-test-'));
let servers = [];
let status = 1;
try {
  const started = await startServers(scratchFolder);
  servers = started.servers;
  const nx = spawnSync(
    'npx',
    ['nx', 'run-many', '-t', 'test', '--parallel=2', '--output-style=static', ...process.argv.slice(2)],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...started.environment },
    },
  );
  status = nx.status ?? 1;
} catch (error) {
  console.error(error);
} finally {
  for (const server of servers.reverse()) await server.stop();
  rmSync(scratchFolder, { recursive: true, force: true });
}
const { passed, failed, skipped } = totals();
if (passed === 0) status = 1;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(status);
