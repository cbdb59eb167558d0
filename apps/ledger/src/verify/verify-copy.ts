import { Injectable } from '@nestjs/common';
import { MasterKey } from '@mledger/access-control';
import { eventsOf, SERVICE_NAMES, type ServiceName } from '@mledger/contracts';
import { eventId } from '@mledger/event-log';
import { checkpointSigner, Clock } from '@mledger/service-kit';
import { DataSource, type QueryRunner } from 'typeorm';
import { TimelineOrder } from '../timeline/timeline-order';
import type { TimelineRow } from '../timeline/timeline.read-model';
import { isSignedBy, type Checkpoint } from './checkpoint';
import type { CopyFault, CopyReport, ServiceReport } from './copy-report';
import { chainHash, GENESIS, streamHash } from './event-hash';
import { VerifySeals } from './verify-seals';
import {
  BY_SEQ,
  BY_STREAM,
  CHECKPOINTS,
  DROP_HASHES,
  EMPTY_HASHES,
  MAKE_HASHES,
  NUMBERED,
  STORE_HASHES,
} from './verify.sql';

const PAGE_EVENTS = 1_000;
/** So long may events be on their way after the checkpoint that covers them. */
const BEHIND_MS_MAX = 60_000;

type CopiedEvent = Omit<TimelineRow, 'service'>;

/** Holds the ledger's own copy against what the services signed: docs/adr/0068. One at a time; whoever asks meanwhile shares it. */
@Injectable()
export class VerifyCopy {
  private underWay: Promise<CopyReport> | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly order: TimelineOrder,
    private readonly seals: VerifySeals,
    private readonly masterKey: MasterKey,
    private readonly clock: Clock,
  ) {}

  verify(): Promise<CopyReport> {
    this.underWay ??= this.verifyAll().finally(() => (this.underWay = undefined));
    return this.underWay;
  }

  private async verifyAll(): Promise<CopyReport> {
    const at = this.clock.now();
    await this.order.advance();
    const eventsByTenant = new Map<string, number>();
    const services: ServiceReport[] = [];
    const runner = this.dataSource.createQueryRunner();
    try {
      for (const statement of MAKE_HASHES) await runner.query(statement);
      for (const service of SERVICE_NAMES) services.push(await this.verifyService(runner, service, eventsByTenant));
    } finally {
      await runner.query(DROP_HASHES);
      await runner.release();
    }
    return { at, services, eventsByTenant, seals: await this.seals.verify() };
  }

  private async verifyService(
    runner: QueryRunner,
    service: ServiceName,
    eventsByTenant: Map<string, number>,
  ): Promise<ServiceReport> {
    await runner.query(EMPTY_HASHES);
    // What is numbered never changes, so several reads of it agree without a snapshot.
    const [numbered] = (await runner.query(NUMBERED, [service])) as { seq: number }[];
    const upTo = numbered!.seq;
    const rows = (await runner.query(CHECKPOINTS, [service])) as { statement: Checkpoint }[];
    const { keyId } = checkpointSigner(this.masterKey);
    const [own, forged] = divide(rows, ({ statement }) => isSignedBy(keyId, statement));
    const checkpoints = own.map(({ statement }) => statement);
    const { events, faults } = await readStreams(runner, { service, upTo }, eventsByTenant);
    for (const { statement } of forged) {
      const message = `the checkpoint at seq ${statement.seq} was not signed by this installation`;
      faults.push(serviceFault('checkpoint-forged', message));
    }
    const recomputed = isRecomputable(service);
    // Behind a fault in a stream no hash can be right; the fault itself says more.
    const comparable = recomputed && faults.length === 0 ? checkpoints : [];
    const { held, fault } = await chainUp(runner, upTo, comparable);
    faults.push(...(fault ? [fault] : []), ...this.late(checkpoints.at(-1), upTo));
    const proved = comparable[held - 1];
    return {
      ...{ service, events, provedSeq: proved?.seq ?? 0, checkpoints: held, checkpointAt: proved?.at ?? null },
      hashes: recomputed ? 'recomputed' : NOT_RECOMPUTED,
      faults,
    };
  }

  /** Events that must have been there for long. */
  private late(last: Checkpoint | undefined, upTo: number): CopyFault[] {
    if (!last || last.seq <= upTo || this.clock.nowMs() - Date.parse(last.at) <= BEHIND_MS_MAX) return [];
    const message = `event ${upTo + 1} has not arrived, though seq ${last.seq} was signed at ${last.at}`;
    return [{ ...serviceFault('event-missing', message), seq: upTo + 1 }];
  }
}

const NOT_RECOMPUTED =
  'not recomputed: events of an older form arrive in the form of today, and their hash is over the first';

/** Whether events arrive as they were hashed: the bus hands an older schema over as today's. */
function isRecomputable(service: ServiceName): boolean {
  return eventsOf(service).every(({ upcasters }) => upcasters === undefined);
}

/** Reads a service's events stream by stream, and stores the hash of each. */
async function readStreams(
  runner: QueryRunner,
  { service, upTo }: { service: ServiceName; upTo: number },
  eventsByTenant: Map<string, number>,
): Promise<{ events: number; faults: CopyFault[] }> {
  const faults: CopyFault[] = [];
  let last = { stream: '', version: 0, hash: GENESIS };
  let events = 0;
  for (;;) {
    const parameters = [service, upTo, last.stream, last.version, PAGE_EVENTS];
    const page = (await runner.query(BY_STREAM, parameters)) as CopiedEvent[];
    const hashes: Buffer[] = [];
    for (const row of page) {
      const before = row.stream === last.stream ? last : { version: 0, hash: GENESIS };
      const fault = misplaced(service, row, before.version);
      // One fault tells where to look; what follows in the stream would only repeat it.
      if (fault && faults.at(-1)?.stream !== row.stream) faults.push(fault);
      last = { stream: row.stream, version: row.version, hash: streamHash(before.hash, row) };
      hashes.push(last.hash);
      eventsByTenant.set(row.tenant, (eventsByTenant.get(row.tenant) ?? 0) + 1);
    }
    await runner.query(STORE_HASHES, [page.map(({ seq }) => seq), hashes]);
    events += page.length;
    if (page.length < PAGE_EVENTS) return { events, faults };
  }
}

function misplaced(service: ServiceName, row: CopiedEvent, previousVersion: number): CopyFault | undefined {
  const { tenant, stream, version, seq } = row;
  const at = { tenant, stream, version, seq };
  if (row.id !== eventId(service, stream, version) || !stream.startsWith(`${tenant}/`)) {
    const message = `${stream} version ${version} does not bear the id that ${service} gives it`;
    return { kind: 'event-foreign', ...at, message };
  }
  if (version === previousVersion + 1) return undefined;
  const message = `${stream} version ${previousVersion + 1} is missing from the copy`;
  return { kind: 'event-missing', ...at, version: previousVersion + 1, message };
}

/** Follows the dense order of a service's events, chains their hashes, and compares at each checkpoint. */
async function chainUp(
  runner: QueryRunner,
  upTo: number,
  checkpoints: readonly Checkpoint[],
): Promise<{ held: number; fault?: CopyFault }> {
  let chain = GENESIS;
  let held = 0;
  for (let seq = 0; seq < upTo;) {
    const page = (await runner.query(BY_SEQ, [seq, PAGE_EVENTS])) as { seq: number; hash: Buffer }[];
    for (const row of [...page, ...(page.length < PAGE_EVENTS ? [undefined] : [])]) {
      if (row?.seq !== seq + 1) {
        if (seq === upTo) break;
        const message = `event ${seq + 1} is gone from the copy`;
        return { held, fault: { ...serviceFault('event-missing', message), seq: seq + 1 } };
      }
      chain = chainHash(chain, row.hash);
      seq = row.seq;
      const next = checkpoints[held];
      if (next?.seq !== seq) continue;
      if (next.chain !== chain.toString('hex')) return { held, fault: differs(checkpoints[held - 1], next) };
      held += 1;
    }
  }
  return { held };
}

function differs(before: Checkpoint | undefined, { seq, at }: Checkpoint): CopyFault {
  const from = (before?.seq ?? 0) + 1;
  const message = `the copy is not what was signed at ${at}: something from seq ${from} to ${seq} differs`;
  return { ...serviceFault('history-differs', message), seq: from };
}

function serviceFault(kind: CopyFault['kind'], message: string): CopyFault {
  return { kind, tenant: null, message };
}

function divide<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}
