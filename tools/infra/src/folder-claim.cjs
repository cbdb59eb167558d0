const fs = require('node:fs');
const path = require('node:path');
const { randomUUID } = require('node:crypto');
const { identify, isAlive } = require('./process-identity.cjs');
const { waitFor } = require('./wait.cjs');

const CLAIM_FILE = 'owner.json';
const STOP_TIMEOUT_MS = 30_000;

/**
 * @typedef {import('./process-identity.cjs').ProcessIdentity} ProcessIdentity
 * @typedef {{ what: string, owner: ProcessIdentity, server?: ProcessIdentity }} Claim what stands in the file
 * @typedef {{ recordServer(pid: number): void, release(): void }} FolderClaim
 */

/** Another live process (or another part of this one) holds the data folder. */
class FolderHeldError extends Error {
  /** @param {{ folder: string, what: string, pid: number }} holder */
  constructor({ folder, what, pid }) {
    const who = pid === process.pid ? `this process (${pid})` : `process ${pid}`;
    super(`${what} in ${folder} is held by ${who}: stop it first, or choose another folder`);
    this.name = 'FolderHeldError';
    this.pid = pid;
  }
}

/**
 * Makes this process the one owner of a data folder. A claim whose owner is dead is taken over, and the server that it
 * left running (after a `kill -9`) is stopped first.
 * @param {{ folder: string, what: string, stopSignal?: NodeJS.Signals, log?: (line: string) => void }} options
 * @returns {Promise<FolderClaim>}
 * @throws {FolderHeldError} when the owner is alive
 */
async function claimFolder({ folder, what, stopSignal = 'SIGTERM', log = () => undefined }) {
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, CLAIM_FILE);
  const owner = identify(process.pid);
  if (!owner) throw new Error(`This process (${process.pid}) cannot read its own start time`);
  const left = takeOver({ file, folder, claim: { what, owner } });
  if (left?.server && isAlive(left.server)) {
    log(`${what} (process ${left.server.pid}) was left running by a process that died; stopping it`);
    await stopProcess(left.server, { what, stopSignal });
  }
  let released = false;
  return {
    recordServer(pid) {
      const server = identify(pid);
      const temporary = `${file}.${randomUUID()}`;
      fs.writeFileSync(temporary, JSON.stringify({ what, owner, server }));
      fs.renameSync(temporary, file);
    },
    release() {
      if (released) return; // By now the claim may be another's.
      released = true;
      fs.rmSync(file, { force: true });
    },
  };
}

/**
 * Writes our claim; returns the dead one it replaced, if there was one.
 * @param {{ file: string, folder: string, claim: Claim }} options
 * @returns {Claim | undefined}
 */
function takeOver({ file, folder, claim }) {
  /** @type {Claim | undefined} */
  let left;
  if (fs.existsSync(file)) {
    const aside = `${file}.${randomUUID()}`;
    const seen = readClaim(file);
    if (isAlive(seen?.owner)) throw held(folder, seen);
    fs.renameSync(file, aside);
    left = readClaim(aside);
    // Two processes may have seen the same dead claim; the slower one then moved the claim of the faster and gives it back.
    if (isAlive(left?.owner)) {
      fs.linkSync(aside, file);
      fs.rmSync(aside);
      throw held(folder, left);
    }
    fs.rmSync(aside);
  }
  const temporary = `${file}.${randomUUID()}`;
  fs.writeFileSync(temporary, JSON.stringify({ ...claim, server: left?.server }));
  try {
    fs.linkSync(temporary, file);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') throw held(folder, readClaim(file));
    throw error;
  } finally {
    fs.rmSync(temporary);
  }
  return left;
}

/**
 * The claim on a folder, dead or alive; undefined when there is none.
 * @param {string} file
 * @returns {Claim | undefined}
 */
function readClaim(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Whether nobody uses this folder: neither the process that claimed it nor its server is alive.
 * @param {string} folder
 */
function isAbandoned(folder) {
  const claim = readClaim(path.join(folder, CLAIM_FILE));
  return claim !== undefined && !isAlive(claim.owner) && !isAlive(claim.server);
}

/**
 * @param {string} folder
 * @param {Claim | undefined} claim
 */
function held(folder, claim) {
  return new FolderHeldError({ folder, what: claim?.what ?? 'A server', pid: claim?.owner.pid ?? 0 });
}

/**
 * Asks a process that is not our child to stop, insists after a while, and returns when it is gone.
 * @param {ProcessIdentity} identity
 * @param {{ what: string, stopSignal: NodeJS.Signals }} options
 */
async function stopProcess(identity, { what, stopSignal }) {
  const gone = { what: `${what} (process ${identity.pid}) to stop`, timeoutMs: STOP_TIMEOUT_MS };
  try {
    process.kill(identity.pid, stopSignal);
    await waitFor(() => !isAlive(identity), gone).catch(() => process.kill(identity.pid, 'SIGKILL'));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
  await waitFor(() => !isAlive(identity), gone);
}

module.exports = { claimFolder, isAbandoned, stopProcess, FolderHeldError };
