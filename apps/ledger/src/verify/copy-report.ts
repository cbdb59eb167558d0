import type { ServiceName } from '@mledger/contracts';

export type CopyFaultKind =
  | 'event-missing'
  | 'event-foreign'
  | 'order-changed'
  | 'checkpoint-forged'
  | 'history-differs'
  | 'seal-broken'
  | 'prediction-changed';

/** The first place of a service where the copy is not what was signed. */
export interface CopyFault {
  readonly kind: CopyFaultKind;
  /** Whose it is; null where it concerns the service as a whole. */
  readonly tenant: string | null;
  readonly message: string;
  readonly seq?: number;
  readonly stream?: string;
  readonly version?: number;
}

/** What was found of one service's events. */
export interface ServiceReport {
  readonly service: ServiceName;
  readonly events: number;
  /** Up to here the copy is, event for event and in this order, what the service signed. */
  readonly provedSeq: number;
  /** Checkpoints that the copy was held against. */
  readonly checkpoints: number;
  /** When the last of them was signed. */
  readonly checkpointAt: string | null;
  /** `recomputed`, or in a sentence why the hashes could not be. */
  readonly hashes: string;
  readonly faults: readonly CopyFault[];
}

export interface SealReport {
  readonly seals: number;
  /** Of these, the newest, whose lists were held against their Merkle roots, and stored predictions against the lists. */
  readonly checked: number;
  readonly predictions: number;
  readonly faults: readonly CopyFault[];
}

export interface CopyReport {
  readonly at: string;
  readonly services: readonly ServiceReport[];
  readonly eventsByTenant: ReadonlyMap<string, number>;
  readonly seals: SealReport;
}

/** What a report tells to a tenant: its own faults in full, of those of others only that they are. */
export function reportFor(tenant: string | undefined, { at, services, eventsByTenant, seals }: CopyReport): object {
  const faults = [
    ...services.flatMap((report) => report.faults.map((fault) => ({ service: report.service, ...fault }))),
    ...seals.faults,
  ];
  const mayKnow = (fault: CopyFault) => tenant === undefined || fault.tenant === null || fault.tenant === tenant;
  const known = faults.filter(mayKnow).map(({ tenant: _tenant, ...fault }) => fault);
  const elsewhere = faults.length - known.length;
  const events = tenant === undefined ? sum([...eventsByTenant.values()]) : (eventsByTenant.get(tenant) ?? 0);
  return {
    ok: faults.length === 0,
    ...{ at, events },
    faults: known,
    ...(elsewhere > 0 && { faultsElsewhere: elsewhere }),
    services: services.map(({ faults: _faults, events: of, ...report }) => ({
      ...report,
      ...(tenant === undefined && { events: of }),
    })),
    seals: { checked: seals.checked, of: seals.seals, predictions: seals.predictions },
    checked: CHECKED,
  };
}

/** Said with each answer, so that nobody takes it for more than it is. */
const CHECKED = [
  'Every event of the ledger’s own copy: its id, its place in its stream and in its service without gaps, and its hash, recomputed from its content and the event before it.',
  'The chain of these hashes against every checkpoint that its service signed and published, with the key that is outside the database; after the last checkpoint (provedSeq) only against the events themselves.',
  'The Merkle roots of the newest seals against the lists in the object store, and the predictions kept here against these lists.',
  'Not the services’ own logs: each service verifies its own at /api/mledger/v1/services/{service}/verify.',
];

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
