import type { Pool } from 'pg';
import type { LogCore } from '../log-core';
import { isFull } from '../page';
import { chainHash, eventHash, GENESIS } from './hash-chain';
import { hasValidSignature, type SignedCheckpoint } from './signer';
import { HEADLESS, NAME_THE_GONE, ORDER_PAGE, STREAM_HEADS, TAIL_PAGE, UNNUMBERED, type HashedRow } from './verify.sql';

const PAGE_EVENTS = 1_000;

export type FaultKind =
  | 'event-changed'
  | 'event-missing'
  | 'event-inserted'
  | 'order-changed'
  | 'tail-cut'
  | 'history-rewritten'
  | 'stream-head'
  | 'checkpoint-forged';

/** The first place where the log is not what it was. */
export interface Fault {
  readonly kind: FaultKind;
  /** A sentence for people. */
  readonly message: string;
  readonly seq?: number;
  readonly stream?: string;
  readonly version?: number;
}

export interface VerifyReport {
  readonly service: string;
  readonly ok: boolean;
  readonly fault?: Fault;
  /** The greatest seq up to which everything is as it was. */
  readonly verifiedSeq: number;
  /** Events checked, those not yet numbered included. */
  readonly events: number;
  /** Checkpoints that the chain was held against. */
  readonly checkpoints: number;
  /** Of these, signed by a key that is not this service's today: trusted only by those who know that key. */
  readonly otherKeys: number;
}

export interface VerifyOptions {
  /** One that the caller kept: the only proof against someone who can rewrite the whole database. */
  checkpoint?: SignedCheckpoint;
}

interface Progress {
  seq: number;
  events: number;
  chain: Buffer;
  /** The last checkpoint that held. */
  heldSeq: number;
}

type OrderRow = [
  seq: number,
  chain: Buffer,
  bytesUpTo: number | null,
  hash: Buffer | null,
  previousHash: Buffer | null,
  previousSeq: number | null,
  ...event: HashedRow,
];
type TailRow = [position: number, bytesUpTo: number, hash: Buffer, previousHash: Buffer | null, ...event: HashedRow];

/**
 * Recomputes every hash from what is stored, and holds the chain against the signed checkpoints. Reads page by page, beside
 * ordinary work; what is appended meanwhile is left to the next time.
 */
export async function verifyLog(core: LogCore, options: VerifyOptions, trustedKeyId?: string): Promise<VerifyReport> {
  const { pool } = core;
  const checkpoints = await readCheckpoints(pool, options);
  const progress: Progress = { seq: 0, events: 0, chain: GENESIS, heldSeq: 0 };
  const fault =
    forged(core, checkpoints) ??
    (await verifyOrder(pool, checkpoints, progress)) ??
    (await verifyTail(pool, progress)) ??
    (await verifyStreams(pool));
  return {
    service: core.service,
    ok: fault === undefined,
    fault,
    verifiedSeq: progress.seq,
    events: progress.events,
    checkpoints: checkpoints.length,
    otherKeys: checkpoints.filter(({ keyId }) => trustedKeyId !== undefined && keyId !== trustedKeyId).length,
  };
}

/** Those in the database and the caller's own, by seq. */
async function readCheckpoints(pool: Pool, { checkpoint }: VerifyOptions): Promise<SignedCheckpoint[]> {
  const { rows } = await pool.query<{ statement: SignedCheckpoint }>('select statement from signed_checkpoints');
  const stored = rows.map(({ statement }) => statement);
  return [...stored, ...(checkpoint ? [checkpoint] : [])].sort((a, b) => a.seq - b.seq);
}

function forged(core: LogCore, checkpoints: readonly SignedCheckpoint[]): Fault | undefined {
  for (const checkpoint of checkpoints) {
    const { service, seq } = checkpoint;
    if (service !== core.service) {
      return { kind: 'checkpoint-forged', message: `a checkpoint is of service ${service}, not of ${core.service}` };
    }
    if (!hasValidSignature(checkpoint)) {
      return {
        kind: 'checkpoint-forged',
        seq,
        message: `the signature of the checkpoint at seq ${seq} does not fit it`,
      };
    }
  }
  return undefined;
}

async function verifyOrder(
  pool: Pool,
  checkpoints: readonly SignedCheckpoint[],
  progress: Progress,
): Promise<Fault | undefined> {
  const { rows: heads } = await pool.query<{ seq: number; chain: Buffer }>('select seq, chain from sequencer');
  const head = heads[0]!;
  const waiting = [...checkpoints];
  let next = readOrder(pool, 0, head.seq);
  while (progress.seq < head.seq) {
    const { rows, toSeq } = await next;
    // Postgres looks up the next page while this one is hashed.
    next = readOrder(pool, toSeq, head.seq);
    next.catch(() => undefined);
    for (const row of rows) {
      const fault = await verifyRow(pool, row, progress);
      if (fault) return fault;
      while (waiting[0]?.seq === progress.seq) {
        const broken = heldAgainst(waiting.shift()!, progress);
        if (broken) return broken;
      }
    }
    if (progress.seq < toSeq) return missing(pool, progress.seq + 1);
  }
  if (!progress.chain.equals(head.chain)) {
    return {
      kind: 'order-changed',
      seq: head.seq,
      message: `the chain does not end at seq ${head.seq} as the sequencer left it`,
    };
  }
  const [beyond] = waiting;
  if (!beyond) return undefined;
  const message = `a checkpoint of ${beyond.at} was signed at seq ${beyond.seq}; the log ends at seq ${head.seq}`;
  return { kind: 'tail-cut', seq: head.seq + 1, message };
}

async function readOrder(pool: Pool, afterSeq: number, headSeq: number): Promise<{ rows: OrderRow[]; toSeq: number }> {
  const toSeq = Math.min(headSeq, afterSeq + PAGE_EVENTS);
  if (toSeq === afterSeq) return { rows: [], toSeq };
  const { rows } = await pool.query<OrderRow>({ text: ORDER_PAGE, rowMode: 'array', values: [afterSeq, toSeq] });
  const last = rows.at(-1);
  const isCut = last && isFull({ count: rows.length, limit: PAGE_EVENTS, bytes: last[2] });
  return { rows, toSeq: isCut ? last[0] : toSeq };
}

async function verifyRow(pool: Pool, row: OrderRow, progress: Progress): Promise<Fault | undefined> {
  const [seq, chain, , hash, previousHash, previousSeq, ...event] = row;
  if (seq !== progress.seq + 1 || hash === null) return missing(pool, progress.seq + 1);
  const [stream, version] = event;
  const at = { seq, stream, version };
  const where = `${stream} version ${version} (seq ${seq})`;
  if (version > 1 && previousHash === null) {
    return { kind: 'event-missing', seq, stream, version: version - 1, message: `the event before ${where} is gone` };
  }
  if (!eventHash(previousHash ?? GENESIS, event).equals(hash)) {
    return { kind: 'event-changed', ...at, message: `${where} is not the event that was appended` };
  }
  if (version > 1 && (previousSeq === null || previousSeq >= seq)) {
    return { kind: 'order-changed', ...at, message: `${where} comes before the event that it follows in its stream` };
  }
  const next = chainHash(progress.chain, hash);
  if (!next.equals(chain)) {
    return { kind: 'order-changed', ...at, message: `${where} is not what was numbered ${seq}` };
  }
  progress.chain = next;
  progress.seq = seq;
  progress.events += 1;
  return undefined;
}

function heldAgainst(checkpoint: SignedCheckpoint, progress: Progress): Fault | undefined {
  const { seq, at } = checkpoint;
  if (checkpoint.chain === progress.chain.toString('hex')) {
    progress.heldSeq = seq;
    return undefined;
  }
  return {
    kind: 'history-rewritten',
    seq: progress.heldSeq + 1,
    message:
      `the log agrees with itself but not with the checkpoint of ${at} at seq ${seq}: ` +
      `something from seq ${progress.heldSeq + 1} to ${seq} was rewritten after it was signed`,
  };
}

async function missing(pool: Pool, seq: number): Promise<Fault> {
  const { rows } = await pool.query<{ stream: string; version: number }>(NAME_THE_GONE);
  const [gone] = rows;
  const what = gone ? `${gone.stream} version ${gone.version}` : 'an event, and all there was of its stream,';
  return { kind: 'event-missing', seq, ...gone, message: `${what} is gone (seq ${seq})` };
}

async function verifyTail(pool: Pool, progress: Progress): Promise<Fault | undefined> {
  const { rows: inserted } = await pool.query<{ stream: string; version: number }>(UNNUMBERED);
  const [unnumbered] = inserted;
  if (unnumbered) {
    const { stream, version } = unnumbered;
    const message = `${stream} version ${version} was put in after the sequencer had passed its place`;
    return { kind: 'event-inserted', stream, version, message };
  }
  for (let after = 0; ;) {
    const { rows } = await pool.query<TailRow>({ text: TAIL_PAGE, rowMode: 'array', values: [after, PAGE_EVENTS] });
    for (const [position, , hash, previousHash, ...event] of rows) {
      const [stream, version] = event;
      const fits = (version === 1 || previousHash !== null) && eventHash(previousHash ?? GENESIS, event).equals(hash);
      if (!fits) {
        const message = `${stream} version ${version} (not numbered yet) is not the event that was appended`;
        return { kind: 'event-changed', stream, version, message };
      }
      after = position;
      progress.events += 1;
    }
    // Not on to an empty page: what is appended meanwhile would keep it going.
    if (!isFull({ count: rows.length, limit: PAGE_EVENTS, bytes: rows.at(-1)?.[1] })) return undefined;
  }
}

async function verifyStreams(pool: Pool): Promise<Fault | undefined> {
  for (const query of [STREAM_HEADS, HEADLESS]) {
    const { rows } = await pool.query<{ stream: string; version: number }>(query);
    const [found] = rows;
    if (found) {
      const { stream, version } = found;
      return { kind: 'stream-head', stream, version, message: `the head of ${stream} is not its last event` };
    }
  }
  return undefined;
}
