const fs = require('node:fs');
const path = require('node:path');
const { execFileSync, spawnSync } = require('node:child_process');

/** Accounts made for Postgres by its packages: on Linux, on macOS. */
const ACCOUNT_NAMES = ['postgres', '_postgres'];

/** @typedef {{ uid: number, gid: number }} Account */

/**
 * The account the server runs under: undefined for "as ourselves". Postgres refuses to run as root, so root lends it another one: the
 * owner of the data if there is data, else the account named postgres, which is made if it is missing.
 * @param {string | undefined} cluster the existing data, if any
 * @param {(line: string) => void} log
 * @returns {Account | undefined}
 */
function postgresAccount(cluster, log) {
  if (process.getuid?.() !== 0) return undefined;
  if (cluster !== undefined) {
    const { uid, gid } = fs.statSync(cluster);
    if (uid !== 0) return { uid, gid };
  }
  const existing = findAccount();
  if (existing) return existing;
  log('Postgres cannot run as root; making the system account "postgres" for it');
  try {
    // A root shell made by `su` may not have the folders of system commands on its path.
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], { stdio: 'pipe', env });
  } catch (error) {
    throw new Error(
      'Postgres cannot run as root, and the account "postgres" could not be made: run as an ordinary user, or set DATABASE_URL',
      { cause: error },
    );
  }
  const made = findAccount();
  if (!made) throw new Error('The account "postgres" was made but cannot be found');
  return made;
}

/** @returns {Account | undefined} */
function findAccount() {
  for (const name of ACCOUNT_NAMES) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
    if (uid?.status === 0 && gid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  return undefined;
}

/**
 * Whether the account may enter this folder; asked of the system itself, which knows about ACLs and mounts.
 * @param {Account} account
 * @param {string} folder
 */
function canEnter(account, folder) {
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...account, cwd: '/', stdio: 'ignore' }).status === 0;
}

/**
 * Copies a folder, for everybody to read, as a whole or not at all.
 * @param {{ from: string, to: string }} folders
 */
function copyFolder({ from, to }) {
  makeOpenFolder(path.dirname(to));
  const half = fs.mkdtempSync(`${to}.half-`);
  try {
    fs.cpSync(from, half, { recursive: true, verbatimSymlinks: true });
    execFileSync('chmod', ['-R', 'a+rX', half]);
    fs.renameSync(half, to);
  } catch (error) {
    fs.rmSync(half, { recursive: true, force: true });
    if (!fs.existsSync(to)) throw error; // Else another process was faster.
  }
}

/**
 * Makes a folder that other accounts may enter, whatever our umask is.
 * @param {string} folder
 */
function makeOpenFolder(folder) {
  const first = fs.mkdirSync(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.startsWith(first); made = path.dirname(made)) fs.chmodSync(made, 0o755);
}

module.exports = { postgresAccount, canEnter, copyFolder, makeOpenFolder };
