const fs = require('node:fs');
const { spawn } = require('node:child_process');
const { setTimeout: sleep } = require('node:timers/promises');
const { waitFor, freePort, isPortFree } = require('./wait.cjs');

const READY_POLL_MS = 10;
const LOG_TAIL_LINES = 15;
const LOG_BYTES_MAX = 16 * 1024 * 1024;
const PORT_ATTEMPTS_MAX = 3;

/**
 * @typedef {{ code: number | null, signal: NodeJS.Signals | null }} Exit
 *
 * @typedef {object} ServerProcess a server that is ready
 * @property {number} pid
 * @property {Promise<Exit>} exited resolves when the server has ended, for whatever reason
 * @property {() => Promise<void>} stop asks it to stop and returns when it is gone
 * @property {() => Promise<void>} kill SIGKILL; returns when it is gone
 *
 * @typedef {object} ServerOptions
 * @property {string} what its name in messages
 * @property {string} command
 * @property {string[]} args
 * @property {NodeJS.ProcessEnv} [env] all of its environment; ours when left out
 * @property {{ uid: number, gid: number }} [account]
 * @property {string} logFile
 * @property {NodeJS.Signals} stopSignal
 * @property {number} stopTimeoutMs after which it is killed
 * @property {number} readyTimeoutMs
 * @property {(pid: number) => boolean | Promise<boolean>} isReady
 * @property {(pid: number) => void} onSpawn
 */

/** The server ended, or was not ready in time; the message carries the end of its log. */
class ServerStartError extends Error {
  /** @param {string} message @param {string} logTail */
  constructor(message, logTail) {
    super(logTail ? `${message}\n${logTail}` : message);
    this.name = 'ServerStartError';
    this.logTail = logTail;
  }
}

/**
 * Starts a server as a process group of its own (so that Ctrl-C in a terminal reaches us and not it: we stop it after our own
 * work is done) and returns when it is ready. It never keeps Node running, and ends when this process ends, however that dies.
 * @param {ServerOptions} options
 * @returns {Promise<ServerProcess>}
 */
async function startServer(options) {
  rotateLog(options.logFile);
  const log = fs.openSync(options.logFile, 'a', 0o600);
  const logStart = fs.fstatSync(log).size;
  const child = spawn(options.command, options.args, {
    ...options.account,
    env: options.env ?? process.env,
    cwd: '/', // A folder that its account may enter, and that nobody wants to remove or unmount.
    stdio: ['ignore', log, log],
    detached: true,
  });
  fs.closeSync(log);
  const spawned = await new Promise((resolve) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', resolve);
  });
  if (spawned instanceof Error) throw new ServerStartError(`${options.what} could not be run: ${spawned.message}`, '');

  const server = superviseChild(child, options);
  try {
    options.onSpawn(server.pid);
    await untilReady(server, options);
  } catch (error) {
    await server.kill();
    throw new ServerStartError(/** @type {Error} */ (error).message, readTail(options.logFile, logStart));
  }
  return server;
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {ServerOptions} options
 * @returns {ServerProcess}
 */
function superviseChild(child, { stopSignal, stopTimeoutMs }) {
  const pid = /** @type {number} */ (child.pid);
  const guard = guardAgainstOrphan(pid, stopSignal);
  /** @type {Promise<Exit>} */
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  // A guard that outlived the server could signal a stranger with the same number.
  void exited.then(() => guard.kill('SIGKILL'));
  child.unref();

  /** @param {NodeJS.Signals} signal */
  const end = async (signal) => {
    child.ref();
    child.kill(signal);
    const timeout = new AbortController();
    const late = sleep(stopTimeoutMs, 'late', { signal: timeout.signal }).catch(() => 'stopped');
    if ((await Promise.race([exited, late])) === 'late') {
      child.kill('SIGKILL');
      await exited;
    }
    timeout.abort();
  };
  return { pid, exited, stop: () => end(stopSignal), kill: () => end('SIGKILL') };
}

/**
 * A tiny shell whose standard input is held open by us alone: it reads end-of-file when this process is gone, also by `kill -9`,
 * and then stops the server.
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
function guardAgainstOrphan(pid, signal) {
  const script = 'while read -r _; do :; done; kill -s "$1" "$2"';
  const guard = spawn('/bin/sh', ['-c', script, 'mledger-guard', signal.replace(/^SIG/, ''), String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.unref();
  const input = /** @type {import('node:net').Socket} */ (guard.stdin);
  input.on('error', () => undefined); // The guard was killed from outside: the next start on this folder copes without it.
  input.unref();
  return guard;
}

/**
 * @param {ServerProcess} server
 * @param {ServerOptions} options
 */
async function untilReady(server, { what, isReady, readyTimeoutMs }) {
  /** @type {Exit | undefined} */
  let exit;
  void server.exited.then((value) => (exit = value));
  const ready = await waitFor(async () => exit ?? (await isReady(server.pid)), {
    what: `${what} to be ready`,
    timeoutMs: readyTimeoutMs,
    intervalMs: READY_POLL_MS,
  });
  if (ready !== true) throw new Error(`${what} ended while starting (code ${exit?.code}, signal ${exit?.signal})`);
}

/**
 * Calls `start` with a port: the one asked for, or a free one, and another one if somebody was faster.
 * @template T
 * @param {{ what: string, port: number | undefined }} options
 * @param {(port: number) => Promise<T>} start
 * @returns {Promise<T>}
 */
async function onPort({ what, port }, start) {
  if (port !== undefined) {
    if (!(await isPortFree(port))) throw new Error(`Port ${port} on 127.0.0.1, asked for ${what}, is taken`);
    return start(port);
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      const taken = error instanceof ServerStartError && /address (is )?already in use/i.test(error.logTail);
      if (!taken || attempt === PORT_ATTEMPTS_MAX) throw error;
    }
  }
}

/** @param {string} file */
function rotateLog(file) {
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_BYTES_MAX) fs.renameSync(file, `${file}.1`);
}

/**
 * @param {string} file
 * @param {number} from where this start's lines begin
 */
function readTail(file, from) {
  const text = fs.readFileSync(file).subarray(from).toString('utf8').trimEnd();
  return text.split('\n').slice(-LOG_TAIL_LINES).join('\n');
}

module.exports = { startServer, onPort, ServerStartError };
