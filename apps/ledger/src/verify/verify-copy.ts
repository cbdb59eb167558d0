import { Injectable } from '@nestjs/common';
import { MasterKey } from '@mledger/access-control';
import { eventsOf, SERVICE_NAMES, type ServiceName } from '@mledger/contracts';
import { isFull } from '@mledger/event-log';
import { checkpointSigner, Clock } from '@mledger/service-kit';
import { DataSource, type QueryRunner } from 'typeorm';
import { TimelineOrder } from '../timeline/timeline-order';
import { isSignedBy, type Checkpoint } from './checkpoint';
import { CopyChain, type ChainReport, type CopiedEvent, type StreamHead } from './copy-chain';
import type { CopyFault, CopyReport, ServiceReport } from './copy-report';
import { VerifySeals } from './verify-seals';
import {
  CHECKPOINTS,
  COPIED_EVENTS,
  DROP_HEADS,
  EMPTY_HEADS,
  MAKE_HEADS,
  MOVE_HEADS,
  NUMBERED,
  READ_HEADS,
} from './verify.sql';

const PAGE_EVENTS = 1_000;
/** So long may events be on their way after the checkpoint that covers them. */
const BEHIND_MS_MAX = 60_000;

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
      for (const statement of MAKE_HEADS) await runner.query(statement);
      for (const service of SERVICE_NAMES) services.push(await this.verifyService(runner, service, eventsByTenant));
    } finally {
      await runner.query(DROP_HEADS);
      await runner.release();
    }
    return { at, services, eventsByTenant, seals: await this.seals.verify() };
  }

  private async verifyService(
    runner: QueryRunner,
    service: ServiceName,
    eventsByTenant: Map<string, number>,
  ): Promise<ServiceReport> {
    // What is numbered never changes, so several reads of it agree without a snapshot.
    const [numbered] = (await runner.query(NUMBERED, [service])) as { seq: number }[];
    const upTo = numbered!.seq;
    const rows = (await runner.query(CHECKPOINTS, [service])) as { statement: Checkpoint }[];
    const { keyId } = checkpointSigner(this.masterKey);
    const [own, forged] = divide(rows, ({ statement }) => isSignedBy(keyId, statement));
    const checkpoints = own.map(({ statement }) => statement);
    const recomputed = isRecomputable(service);
    const read = await readThrough(
      runner,
      { service, upTo, checkpoints: recomputed ? checkpoints : [] },
      eventsByTenant,
    );
    const faults = [
      ...read.faults,
      ...forged.map(({ statement }) => forgery(statement)),
      ...this.late(checkpoints.at(-1), upTo),
    ];
    const { events, held, proved } = read;
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
    return [{ kind: 'event-missing', tenant: null, seq: upTo + 1, message }];
  }
}

const NOT_RECOMPUTED =
  'not recomputed: events of an older form arrive in the form of today, and their hash is over the first';

/** Whether events arrive as they were hashed: the bus hands an older schema over as today's. */
function isRecomputable(service: ServiceName): boolean {
  return eventsOf(service).every(({ upcasters }) => upcasters === undefined);
}

/** Goes through a service's events in their order, and counts them by tenant. */
async function readThrough(
  runner: QueryRunner,
  { service, upTo, checkpoints }: { service: ServiceName; upTo: number; checkpoints: readonly Checkpoint[] },
  eventsByTenant: Map<string, number>,
): Promise<ChainReport & { events: number }> {
  await runner.query(EMPTY_HEADS);
  const chain = new CopyChain(service, checkpoints);
  let events = 0;
  for (let seq = 0; seq < upTo && !chain.isHopeless;) {
    const end = Math.min(upTo, seq + PAGE_EVENTS);
    const page = (await runner.query(COPIED_EVENTS, [service, seq, end])) as (CopiedEvent & { bytesUpTo: number })[];
    const final = page.at(-1);
    const last = final && isFull({ count: page.length, limit: PAGE_EVENTS, bytes: final.bytesUpTo }) ? final.seq : end;
    const streams = [...new Set(page.map(({ stream }) => stream))];
    const known = (await runner.query(READ_HEADS, [streams])) as (StreamHead & { stream: string })[];
    const heads = new Map(known.map(({ stream, version, hash }) => [stream, { version, hash }]));
    chain.extend(page, last, heads);
    const moved = [...heads];
    await runner.query(MOVE_HEADS, [
      moved.map(([stream]) => stream),
      moved.map(([, { version }]) => version),
      moved.map(([, { hash }]) => hash),
    ]);
    for (const { tenant } of page) eventsByTenant.set(tenant, (eventsByTenant.get(tenant) ?? 0) + 1);
    events += page.length;
    seq = last;
  }
  return { ...chain.report(), events };
}

function forgery({ seq }: Checkpoint): CopyFault {
  const message = `the checkpoint at seq ${seq} was not signed by this installation`;
  return { kind: 'checkpoint-forged', tenant: null, seq, message };
}

function divide<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}
