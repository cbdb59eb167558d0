const net = require('node:net');
const { randomInt } = require('node:crypto');
const { setTimeout: sleep } = require('node:timers/promises');

/** Below the range from which Linux (32768) and macOS (49152) take ports of outgoing connections, so none of those can take ours. */
const PORT_MIN = 20_000;
const PORT_MAX = 32_767;
const PORT_ATTEMPTS_MAX = 100;

/**
 * Polls until `condition` returns something truthy, and returns that. A condition that throws counts as not yet met.
 * @template T
 * @param {() => T | Promise<T>} condition
 * @param {{ what: string, timeoutMs?: number, intervalMs?: number }} options `what` ends the sentence "Waited … for …"
 * @returns {Promise<NonNullable<T>>}
 * @throws {Error} after `timeoutMs` (30,000), naming `what` and the last error the condition threw
 */
async function waitFor(condition, { what, timeoutMs = 30_000, intervalMs = 20 }) {
  const deadline = performance.now() + timeoutMs;
  /** @type {unknown} */
  let lastError;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) break;
    await sleep(intervalMs);
  }
  const reason = lastError instanceof Error ? `: ${lastError.message}` : '';
  throw new Error(`Waited ${timeoutMs} ms for ${what}${reason}`, { cause: lastError });
}

/** Given out by this process, and never twice: a service may listen there only when it has started. */
const givenPorts = new Set();

/**
 * A TCP port on 127.0.0.1 on which nobody listens at this moment, and that this process was not told before.
 * @returns {Promise<number>}
 */
async function freePort() {
  for (let attempt = 0; attempt < PORT_ATTEMPTS_MAX; attempt++) {
    const port = randomInt(PORT_MIN, PORT_MAX + 1);
    if (givenPorts.has(port)) continue;
    givenPorts.add(port);
    if (await isPortFree(port)) return port;
  }
  throw new Error(`No free port was found between ${PORT_MIN} and ${PORT_MAX} on 127.0.0.1`);
}

/**
 * Whether a server could listen on this port of 127.0.0.1 now.
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isPortFree(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

module.exports = { waitFor, freePort, isPortFree };
