const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { setTimeout: sleep } = require('node:timers/promises');
const { claimFolder, FolderHeldError } = require('./folder-claim.cjs');

const INSTALL_TIMEOUT_MS = 900_000;
const INSTALL_POLL_MS = 200;
const OUTPUT_TAIL_CHARS = 4_000;
const COMPLETE = 'complete';

/** @typedef {(line: string) => void} Log */

/** A command failed or is not there; the message carries the end of its output. */
class CommandError extends Error {
  /** @param {string} message @param {ErrorOptions} [options] */
  constructor(message, options) {
    super(message, options);
    this.name = 'CommandError';
  }
}

/** Where downloads and builds are kept for all checkouts: MLEDGER_CACHE, else the user's cache folder. */
function cacheFolder() {
  const { MLEDGER_CACHE, XDG_CACHE_HOME } = process.env;
  return path.resolve(MLEDGER_CACHE || path.join(XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'mledger'));
}

/**
 * A folder of the cache that `install` fills once, whichever process asks first; the others wait for it. What a crash left half done
 * is removed and done again. `install` gets the final path, because Python environments and class archives cannot be moved.
 * @param {{ name: string, what: string, log: Log, install: (folder: string) => Promise<void> }} options
 * @returns {Promise<string>} the folder
 */
async function installOnce({ name, what, log, install }) {
  const folder = path.join(cacheFolder(), name);
  const complete = path.join(folder, COMPLETE);
  if (fs.existsSync(complete)) return folder;
  const lock = `${folder}.lock`;
  const claim = await claimWhenFree(lock, what, log);
  try {
    if (!fs.existsSync(complete)) {
      fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      fs.mkdirSync(folder, { recursive: true });
      await install(folder);
      fs.writeFileSync(complete, '');
    }
  } catch (error) {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  } finally {
    claim.release();
  }
  return folder;
}

/**
 * @param {string} lock
 * @param {string} what
 * @param {Log} log
 */
async function claimWhenFree(lock, what, log) {
  const deadline = performance.now() + INSTALL_TIMEOUT_MS;
  for (let waits = false; ; waits = true) {
    try {
      return await claimFolder({ folder: lock, what: `The installation of ${what}`, stopSignal: 'SIGTERM', log });
    } catch (error) {
      if (!(error instanceof FolderHeldError) || performance.now() > deadline) throw error;
      if (!waits) log(`${what} is being installed by process ${error.pid}; waiting for it`);
      await sleep(INSTALL_POLL_MS);
    }
  }
}

/**
 * Runs a command to its end and returns what it printed, both streams together.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options] `env` is added to ours
 * @returns {Promise<string>}
 * @throws {CommandError} if it is missing or fails
 */
function run(command, args, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('error', (cause) =>
      reject(new CommandError(`${command} could not be run: ${cause.message}`, { cause })),
    );
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const ending = `${command} ${args[0]} failed (${signal ?? `code ${code}`})`;
      return reject(new CommandError(`${ending}:\n${output.trim().slice(-OUTPUT_TAIL_CHARS)}`));
    });
  });
}

/**
 * Turns an installation into an answer: it can be used, or not, and why.
 * @param {() => Promise<unknown>} install
 * @returns {Promise<import('../index.cjs').Availability>}
 */
async function availability(install) {
  try {
    await install();
    return { available: true };
  } catch (error) {
    return { available: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

module.exports = { cacheFolder, installOnce, run, availability, CommandError };
