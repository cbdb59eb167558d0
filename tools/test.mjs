/**
 * `npm test`: starts one Postgres, Kafka and S3 server for every suite, runs the projects' tests through Nx (cached),
 * and ends with the sum of jest's own totals. Arguments go to Nx: `npm test -- -p event-log`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import infra from '@mledger/infra';

const FAILURE_LINES_MAX = 30;
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

/** What jest itself found in each project that has tests. */
const results = () => resultFiles.filter(existsSync).map((file) => JSON.parse(readFileSync(file, 'utf8')));

/** Adds up what jest itself counted. */
function totals() {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const result of results()) {
    sum.passed += result.numPassedTests;
    sum.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
    sum.skipped += result.numPendingTests;
  }
  return sum;
}

/** Which tests failed, and how they begin to say why: the rest stands far above, between the projects. */
function failures() {
  const plain = (text) => stripVTControlCharacters(text).split('\n').slice(0, FAILURE_LINES_MAX).join('\n      ');
  return results()
    .flatMap(({ testResults }) => testResults)
    .flatMap(({ name, message, assertionResults }) => {
      const failed = assertionResults.filter((test) => test.status === 'failed');
      const shown = failed.map((test) => `${test.fullName}\n      ${plain(test.failureMessages.join('\n'))}`);
      if (assertionResults.length === 0 && message !== '') shown.push(plain(message));
      return shown.map((text) => `FAILED ${relative(root, name)}: ${text}`);
    });
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
for (const failure of failures()) console.log(`\n${failure}`);
const { passed, failed, skipped } = totals();
if (passed === 0) status = 1;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(status);
