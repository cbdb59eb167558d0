import type { ServiceName } from '@mledger/contracts';
import { eventId } from '@mledger/event-log';
import type { TimelineRow } from '../timeline/timeline.read-model';
import type { Checkpoint } from './checkpoint';
import type { CopyFault } from './copy-report';
import { chainHash, GENESIS, streamHash } from './event-hash';

/** The first faults tell where to look; what follows them mostly repeats them. */
const FAULTS_MAX = 20;

export type CopiedEvent = Omit<TimelineRow, 'service'>;

/** The last event of a stream, as far as it was gone through. */
export interface StreamHead {
  readonly version: number;
  readonly hash: Buffer;
}

export interface ChainReport {
  readonly faults: readonly CopyFault[];
  /** Checkpoints that the chain agreed with. */
  readonly held: number;
  /** The last of them. */
  readonly proved: Checkpoint | undefined;
}

/** Recomputes the hashes of a service's events in their order, and holds them against what was signed. Pure: it is given all. */
export class CopyChain {
  private readonly faults: CopyFault[] = [];
  private chain = GENESIS;
  private seq = 0;
  private held = 0;

  constructor(
    private readonly service: ServiceName,
    private readonly checkpoints: readonly Checkpoint[],
  ) {}

  get isHopeless(): boolean {
    return this.faults.length >= FAULTS_MAX;
  }

  /**
   * Goes on with the events up to `last`, in their order.
   *
   * @param heads of their streams, which it moves on
   */
  extend(events: readonly CopiedEvent[], last: number, heads: Map<string, StreamHead>): void {
    for (const event of events) {
      this.noticeGap(event.seq);
      this.follow(event, heads);
      this.seq = event.seq;
    }
    this.noticeGap(last + 1);
    this.seq = last;
  }

  report(): ChainReport {
    const { faults, held, checkpoints } = this;
    return { faults, held, proved: checkpoints[held - 1] };
  }

  private noticeGap(next: number): void {
    if (next === this.seq + 1) return;
    const missing = next === this.seq + 2 ? `event ${next - 1} is` : `events ${this.seq + 1} to ${next - 1} are`;
    this.note({ kind: 'event-missing', tenant: null, seq: this.seq + 1, message: `${missing} gone from the copy` });
  }

  private follow(event: CopiedEvent, heads: Map<string, StreamHead>): void {
    const { stream, version, seq } = event;
    const head = heads.get(stream) ?? { version: 0, hash: GENESIS };
    const fault = misplaced(this.service, event, head);
    if (fault) this.note(fault);
    const hash = streamHash(head.hash, event);
    heads.set(stream, { version, hash });
    this.chain = chainHash(this.chain, hash);
    const next = this.checkpoints[this.held];
    // Behind another fault no hash can be right, and the fault itself says more.
    if (next?.seq !== seq || this.faults.length > 0) return;
    if (next.chain === this.chain.toString('hex')) this.held += 1;
    else this.note(differs(this.checkpoints[this.held - 1], next));
  }

  private note(fault: CopyFault): void {
    const repeats = fault.stream !== undefined && this.faults.some(({ stream }) => stream === fault.stream);
    if (!repeats && !this.isHopeless) this.faults.push(fault);
  }
}

function misplaced(service: ServiceName, event: CopiedEvent, head: StreamHead): CopyFault | undefined {
  const { tenant, stream, version, seq } = event;
  const at = { tenant, stream, version, seq };
  if (event.id !== eventId(service, stream, version) || !stream.startsWith(`${tenant}/`)) {
    const message = `${stream} version ${version} does not bear the id that ${service} gives it`;
    return { kind: 'event-foreign', ...at, message };
  }
  if (version === head.version + 1) return undefined;
  const message = `${stream} goes on with version ${version} where ${head.version + 1} has to stand`;
  return { kind: 'order-changed', ...at, message };
}

function differs(before: Checkpoint | undefined, { seq, at }: Checkpoint): CopyFault {
  const from = (before?.seq ?? 0) + 1;
  const message = `the copy is not what was signed at ${at}: something from seq ${from} to ${seq} differs`;
  return { kind: 'history-differs', tenant: null, seq: from, message };
}
