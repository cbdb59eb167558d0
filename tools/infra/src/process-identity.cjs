const { readFileSync } = require('node:fs');
const { execFileSync } = require('node:child_process');

/**
 * A process, told apart from a later one that was given the same number.
 * @typedef {{ pid: number, startedAt: string }} ProcessIdentity
 */

/**
 * The identity of a running process; undefined when there is none, or when it is dead and only waits to be reaped.
 * @param {number} pid
 * @returns {ProcessIdentity | undefined}
 */
function identify(pid) {
  const startedAt = process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/**
 * Whether that very process still runs.
 * @param {ProcessIdentity | undefined} identity
 */
function isAlive(identity) {
  return identity !== undefined && identify(identity.pid)?.startedAt === identity.startedAt;
}

/**
 * The command line of a process, as one text; empty when it cannot be read.
 * @param {number} pid
 */
function commandLine(pid) {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return ps('-ww', '-o', 'command=', '-p', String(pid));
  } catch {
    return '';
  }
}

/** @param {number} pid */
function startOnLinux(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may itself hold spaces and parentheses; the state follows it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X') return undefined;
    // Ticks count from the boot, so two boots could give the same number.
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${startTicks}`;
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function startByPs(pid) {
  try {
    const [state = '', ...start] = ps('-o', 'stat=', '-o', 'lstart=', '-p', String(pid)).trim().split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}

/** @param {string[]} args */
function ps(...args) {
  // The date it prints must not depend on who asks.
  return execFileSync('ps', args, { encoding: 'utf8', env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } });
}

module.exports = { identify, isAlive, commandLine };
