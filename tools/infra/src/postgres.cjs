const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { Client, escapeIdentifier } = require('pg');
const { claimFolder, isAbandoned } = require('./folder-claim.cjs');
const { startServer, onPort, ServerStartError } = require('./server-process.cjs');
const cluster = require('./postgres-cluster.cjs');

const DATABASE = 'mledger';
const TEST_FOLDER_PREFIX = 'mledger-test-postgres-';
/** Recovery replays up to `max_wal_size` of log after a crash; that takes minutes on a slow disk. */
const READY_TIMEOUT_MS = 600_000;
const SLOW_START_MS = 3_000;
const STOP_TIMEOUT_MS = 60_000;
const ORPHANS_TIMEOUT_MS = 60_000;
const ORPHANS_POLL_MS = 200;
const DUPLICATE_DATABASE = '42P04';
const UNIQUE_VIOLATION = '23505';

/** For one machine that has other work too. README.md beside this folder holds what was measured. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '128MB',
  synchronous_commit: 'on',
  fsync: 'on',
  commit_delay: '0',
  wal_buffers: '16MB',
  min_wal_size: '256MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  // Prepared transactions and idle ones hold back the horizon below which the event log is published.
  max_prepared_transactions: '0',
  idle_in_transaction_session_timeout: '60s',
  // Queries here are short: compiling them costs more than it saves.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  lc_messages: 'C',
};

/**
 * Starts Postgres on the data in `dataFolder`, which is made at the first start and found again at each later one, also after
 * `kill -9` of everything. See index.d.cts.
 * @param {import('../index.cjs').PostgresOptions} options
 * @returns {Promise<import('../index.cjs').Postgres>}
 */
async function startPostgres({
  dataFolder,
  port,
  persistent = true,
  durable = true,
  settings = {},
  log = () => undefined,
}) {
  fs.mkdirSync(dataFolder, { recursive: true });
  const folder = fs.realpathSync(dataFolder);
  const claim = await claimFolder({ folder, what: 'Postgres', stopSignal: 'SIGINT', log });
  try {
    const place = cluster.choosePlace(folder, log);
    const password = cluster.readOrMakePassword(folder, fs.existsSync(place.cluster));
    await cluster.initialiseCluster({ place, password, durable, onSpawn: claim.recordServer });
    await cluster.clearOldServer(place.cluster, log);

    const allSettings = { ...SETTINGS, ...(durable ? {} : { fsync: 'off' }), ...settings };
    const launch = {
      place,
      logFile: path.join(folder, 'postgres.log'),
      settings: allSettings,
      onSpawn: claim.recordServer,
    };
    const { server, url } = await onPort({ what: 'Postgres', port }, async (chosen) => ({
      server: await launchServer({ ...launch, port: chosen, log }),
      url: `postgres://${cluster.USER}:${password}@127.0.0.1:${chosen}/postgres`,
    }));
    /** @type {Promise<void> | undefined} */
    let stopping;
    const stop = async () => {
      await server.stop();
      claim.release();
      if (!persistent) removeData(folder);
    };
    try {
      const databaseUrl = await createDatabase(url, DATABASE);
      return { url: databaseUrl, pid: server.pid, exited: server.exited, stop: () => (stopping ??= stop()) };
    } catch (error) {
      await server.stop();
      throw error;
    }
  } catch (error) {
    claim.release();
    throw error;
  }
}

/**
 * @param {{ place: import('./postgres-cluster.cjs').Place, port: number, logFile: string, settings: Record<string, string>,
 *   onSpawn: (pid: number) => void, log: (line: string) => void }} options
 */
async function launchServer({ place, port, logFile, settings, onSpawn, log }) {
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const slow = setTimeout(() => log('Postgres is still starting: it repairs itself after a crash'), SLOW_START_MS);
  const launch = () =>
    startServer({
      what: 'Postgres',
      command: path.join(place.binaries, 'postgres'),
      args: ['-D', place.cluster, '-p', String(port), ...flags],
      env: cluster.postgresEnvironment(),
      account: place.account,
      logFile,
      stopSignal: 'SIGINT', // Postgres' "fast" shutdown: it ends the sessions and does not wait for them.
      stopTimeoutMs: STOP_TIMEOUT_MS,
      readyTimeoutMs: READY_TIMEOUT_MS,
      isReady: (pid) => isAccepting(place.cluster, pid),
      onSpawn,
    });
  const deadline = performance.now() + ORPHANS_TIMEOUT_MS;
  try {
    for (;;) {
      try {
        return await launch();
      } catch (error) {
        // Sessions that outlive their killed server for a moment still hold its shared memory.
        const orphansRemain =
          error instanceof ServerStartError && error.logTail.includes('pre-existing shared memory block');
        if (!orphansRemain || performance.now() > deadline) throw error;
        await sleep(ORPHANS_POLL_MS);
      }
    }
  } finally {
    clearTimeout(slow);
  }
}

/**
 * Whether the server says in its own pid file that it takes connections (what pg_ctl reads too).
 * @param {string} clusterFolder
 * @param {number} pid
 */
function isAccepting(clusterFolder, pid) {
  const file = path.join(clusterFolder, 'postmaster.pid');
  if (!fs.existsSync(file)) return false;
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

/**
 * Removes a data folder, and the place outside it where root's data had to go.
 * @param {string} folder
 */
function removeData(folder) {
  const pointer = path.join(folder, 'location');
  if (fs.existsSync(pointer)) fs.rmSync(fs.readFileSync(pointer, 'utf8').trim(), { recursive: true, force: true });
  fs.rmSync(folder, { recursive: true, force: true });
}

/**
 * Makes a database, unless it exists, on the server that `url` leads to. See index.d.cts.
 * @param {string} url
 * @param {string} name
 * @returns {Promise<string>} the URL of that database
 */
async function createDatabase(url, name) {
  // Postgres would cut a longer name silently, and clients read other characters from a URL in different ways.
  if (!/^[A-Za-z0-9_-]{1,63}$/.test(name)) {
    throw new Error(`The name of a database is 1 to 63 letters, digits, "_" and "-", not "${name}"`);
  }
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) await client.query(`create database ${escapeIdentifier(name)}`);
  } catch (error) {
    const code = /** @type {{ code?: string }} */ (error).code;
    if (code !== DUPLICATE_DATABASE && code !== UNIQUE_VIOLATION) throw error; // Else somebody made it at the same moment.
  } finally {
    await client.end();
  }
  const result = new URL(url);
  result.pathname = `/${name}`;
  return result.href;
}

/**
 * A throw-away server in the temp folder, removed when it stops. See index.d.cts.
 * @param {import('../index.cjs').TestPostgresOptions} [options]
 * @returns {Promise<import('../index.cjs').Postgres>}
 */
async function startTestPostgres({ durable = false, settings = {}, log } = {}) {
  const parent = fs.realpathSync(os.tmpdir());
  sweepTestFolders(parent);
  const dataFolder = fs.mkdtempSync(path.join(parent, TEST_FOLDER_PREFIX));
  fs.chmodSync(dataFolder, 0o755); // Root's server runs under another account, which must get in.
  return startPostgres({
    dataFolder,
    persistent: false,
    durable,
    settings: { max_connections: '300', ...settings },
    log,
  });
}

/**
 * Removes our own folders that killed runs left. Never another user's: the temp folder is everybody's, and what lies in there could
 * send us anywhere.
 * @param {string} parent
 */
function sweepTestFolders(parent) {
  for (const name of fs.readdirSync(parent)) {
    const left = path.join(parent, name);
    if (!name.startsWith(TEST_FOLDER_PREFIX)) continue;
    const status = fs.lstatSync(left, { throwIfNoEntry: false });
    if (!status?.isDirectory() || status.uid !== process.getuid?.() || !isAbandoned(left)) continue;
    try {
      removeData(left);
    } catch {
      // Another run removes it at this moment, and it is not in our way.
    }
  }
}

module.exports = { startPostgres, startTestPostgres, createDatabase };
