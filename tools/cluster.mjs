/**
 * `npm run cluster`: Kafka, Postgres, S3, every service as its own process, and the gateway, on this machine, until it is
 * interrupted. A process that ends is started again, as an orchestrator would do it; without one of the servers it stops.
 *
 * MLEDGER_REPLICAS="serving=2,registry=2" runs more than one of a service; each gets a port of its own.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import infra from '@mledger/infra';
import { buildWhatChanged } from './setup/build.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const home = resolve(process.env.MLEDGER_HOME ?? join(root, '.mledger/cluster'));
const gatewayPort = Number(process.env.MLEDGER_PORT ?? 5050);
const SERVICES = ['access', 'versioning', 'experiments', 'registry', 'serving', 'monitoring', 'pipelines', 'ledger'];
const READY_MS_MAX = 120_000;
const RESTART_MS = 1_000;
/** Ends for a fault of the environment are not cured by a new start. */
const EXIT_CONFIG = 78;

const say = (line) => console.log(line);

/**
 * A secret of this cluster, made at its first start and readable for its owner only. Its file takes its name when it is
 * whole: a start that was killed must not leave an empty one.
 */
function secret(name, make) {
  const file = join(home, name);
  if (!existsSync(file)) {
    const draft = `${file}.draft`;
    writeFileSync(draft, make(), { mode: 0o600, flush: true });
    renameSync(draft, file);
  }
  return readFileSync(file, 'utf8').trim();
}

const letters = (alphabet, length) =>
  Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('');

async function startInfrastructure() {
  say('Starting Postgres, Kafka and S3 (the first time, Kafka and S3 are fetched and built)…');
  for (const availability of [await infra.kafkaAvailable(), await infra.s3Available()]) {
    if (!availability.available) throw new Error(availability.reason);
  }
  const servers = await Promise.all([
    infra.startPostgres({ dataFolder: join(home, 'postgres'), settings: { max_connections: '200' }, log: say }),
    infra.startKafka({ dataFolder: join(home, 'kafka'), log: say }),
    infra.startS3({ dataFolder: join(home, 's3'), log: say }),
  ]);
  const [postgres, kafka, s3] = servers;
  return {
    servers: { postgres, kafka, s3 },
    environment: {
      DATABASE_URL: postgres.url,
      KAFKA_BROKERS: kafka.brokers.join(','),
      S3_ENDPOINT: s3.endpoint,
      S3_BUCKET: 'mledger',
      S3_REGION: s3.region,
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    },
  };
}

/** Keeps one process alive until `stop`; its output goes to a log file of its own. */
function keepAlive({ name, main, environment, onGivenUp }) {
  const log = createWriteStream(join(home, 'logs', `${name}.log`), { flags: 'a' });
  let stopping = false;
  let child;
  let exited = Promise.resolve();
  const start = () => {
    child = spawn(process.execPath, ['--enable-source-maps', main], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    writeFileSync(join(home, 'pids', name), String(child.pid));
    exited = new Promise((done) => child.once('exit', (code, signal) => done({ code, signal })));
    void exited.then(({ code, signal }) => {
      if (stopping) return;
      if (code === EXIT_CONFIG)
        return onGivenUp(`${name} was not configured as it must be; see ${home}/logs/${name}.log`);
      say(`${name} ended (${signal ?? code}); starting it again`);
      setTimeout(() => !stopping && start(), RESTART_MS);
    });
  };
  start();
  return {
    stop: async () => {
      stopping = true;
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function replicasOf(service) {
  const wanted = (process.env.MLEDGER_REPLICAS ?? '').split(',').find((entry) => entry.startsWith(`${service}=`));
  return wanted ? Number(wanted.split('=')[1]) : 1;
}

async function startServices(environment, onGivenUp) {
  const urls = {};
  const processes = [];
  for (const service of SERVICES) {
    const ports = [];
    for (let replica = 1; replica <= replicasOf(service); replica += 1) {
      const port = await infra.freePort();
      ports.push(port);
      processes.push(
        keepAlive({
          name: replica === 1 ? service : `${service}-${replica}`,
          main: join(root, 'apps', service, 'dist/main.js'),
          environment: { ...environment, MLEDGER_PORT: String(port) },
          onGivenUp,
        }),
      );
    }
    urls[`MLEDGER_${service.toUpperCase()}_URL`] = ports.map((port) => `http://127.0.0.1:${port}`).join(',');
  }
  processes.push(
    keepAlive({
      name: 'gateway',
      main: join(root, 'apps/gateway/dist/main.js'),
      environment: { ...environment, ...urls, MLEDGER_PORT: String(gatewayPort) },
      onGivenUp,
    }),
  );
  return processes;
}

async function isReady() {
  const response = await fetch(`http://127.0.0.1:${gatewayPort}/health/ready`).catch(() => undefined);
  return response?.ok ?? false;
}

for (const folder of ['logs', 'pids']) mkdirSync(join(home, folder), { recursive: true });
const claim = await infra.claimFolder({ folder: home, what: 'The cluster', log: say });
buildWhatChanged();
const { servers, environment } = await startInfrastructure();
const keyId = secret('access-key-id', () => `AKIAJ${letters('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', 14)}Q`);
const accessSecret = secret('secret-access-key', () =>
  letters('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 40),
);
let processes = [];
let stopping = false;
const stop = async (exitCode) => {
  if (stopping) return;
  stopping = true;
  say('Stopping the cluster…');
  await Promise.all(processes.map((kept) => kept.stop()));
  await Promise.all(Object.values(servers).map((server) => server.stop()));
  claim.release();
  process.exit(exitCode);
};
process.once('SIGINT', () => void stop(0));
process.once('SIGTERM', () => void stop(0));
const giveUp = (reason) => {
  if (!stopping) console.error(reason);
  void stop(1);
};
for (const [name, { exited }] of Object.entries(servers))
  void exited.then(({ code, signal }) => giveUp(`${name} ended (${signal ?? code}); see ${home}/${name}/${name}.log`));
processes = await startServices(
  {
    ...environment,
    MLEDGER_HOST: '127.0.0.1',
    MLEDGER_AUTH: 'keys',
    MLEDGER_URL: `http://127.0.0.1:${gatewayPort}`,
    MLEDGER_MASTER_KEY: secret('master-key', () => randomBytes(32).toString('base64')),
    MLEDGER_ACCESS_KEY_ID: keyId,
    MLEDGER_SECRET_ACCESS_KEY: accessSecret,
  },
  giveUp,
);
await infra.waitFor(isReady, { what: `every service to be ready (logs in ${home}/logs)`, timeoutMs: READY_MS_MAX });
say(`The first key (kept in ${home}):\n  MLEDGER_ACCESS_KEY_ID=${keyId}\n  MLEDGER_SECRET_ACCESS_KEY=${accessSecret}`);
say(`MLedger is ready at http://127.0.0.1:${gatewayPort}`);
