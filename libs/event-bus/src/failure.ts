/**
 * Whether trying the same message again may help by itself.
 *
 * `conflict`: another writer was faster; the next try, at once, sees what it wrote.
 * `transient`: the surroundings failed (a lost connection, a full disk, a server that restarts). The partition
 * waits and the message is tried again for ever, because skipping it would lose what will succeed in a moment.
 * `permanent`: anything else, above all refusals, constraint violations and programming errors. After five tries the
 * message is parked, because waiting would stop every other stream for one event that will never succeed.
 */
export type FailureKind = 'conflict' | 'transient' | 'permanent';

/** A handler throws this when something it depends on is not there for now; the message is tried again for ever. */
export class TransientFailure extends Error {
  override readonly name = 'TransientFailure';
}

/** Node's codes for an unreachable peer or exhausted machine. */
const SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EMFILE',
  'ENFILE',
  'ENOSPC',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/**
 * SQLSTATE classes that are about the server's state and not about the statement
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html): connection, insufficient resources, operator
 * intervention, system error; and lock_not_available, read_only_sql_transaction (a failover under way),
 * idle_in_transaction_session_timeout.
 */
const SQLSTATE = /^(08|53|57|58)[0-9A-Z]{3}$|^(55P03|25006|25P03)$/;

/** transaction_rollback: serialization_failure, deadlock_detected. */
const CONFLICT = /^40[0-9A-Z]{3}$/;

/** What pg and pg-pool say, without a code, when a connection is lost or none is free. */
const DRIVER_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|DataSource is not (set|initialized)|Cannot use a pool after calling end/i;

export function failureKind(error: unknown): FailureKind {
  for (let at: unknown = error, depth = 0; typeof at === 'object' && at !== null && depth < 8; depth += 1) {
    if (CONFLICT.test(String((at as { code?: unknown }).code))) return 'conflict';
    if (isTransient(at)) return 'transient';
    at = (at as { cause?: unknown; driverError?: unknown }).cause ?? (at as { driverError?: unknown }).driverError;
  }
  return 'permanent';
}

function isTransient(error: object): boolean {
  const { name, code, message, $metadata } = error as {
    name?: unknown;
    code?: unknown;
    message?: unknown;
    $metadata?: { httpStatusCode?: number };
  };
  if (name === 'TransientFailure' || name === 'AbortError' || name === 'TimeoutError') return true;
  if (typeof code === 'string' && (SYSTEM_CODES.has(code) || SQLSTATE.test(code))) return true;
  // The object store answered, but not for now: throttled or failing on its side.
  const status = $metadata?.httpStatusCode;
  if (status !== undefined && (status === 429 || status >= 500)) return true;
  return typeof message === 'string' && DRIVER_MESSAGES.test(message);
}

/** One line for logs and health pages. */
export function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
