import type { ServiceName } from '@mledger/contracts';
import { parseAsOf } from '@mledger/event-log';
import { ApiError } from '@mledger/service-kit';

/** An event as the ledger answers with it. */
export interface LedgerEvent {
  /** Where it stands in the ledger's timeline: opaque to clients; null in the moment before it has a place. */
  readonly cursor: string | null;
  readonly id: string;
  readonly service: ServiceName;
  readonly seq: number;
  readonly type: string;
  readonly stream: string;
  readonly version: number;
  readonly time: string;
  readonly actor: string;
  readonly cause: string;
  readonly correlation: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What an answer rests on, short enough to stand beside each of its claims. */
export type EventRef = Pick<LedgerEvent, 'id' | 'service' | 'seq' | 'type' | 'stream' | 'version' | 'time' | 'actor'>;

export function refOf({ id, service, seq, type, stream, version, time, actor }: LedgerEvent): EventRef {
  return { id, service, seq, type, stream, version, time, actor };
}

/**
 * Beyond which an answer knows nothing: events recorded after a time (by the clock of their own service), or standing
 * after a position of the timeline.
 */
export interface Horizon {
  readonly time: string | null;
  readonly position: number | null;
}

export const NO_HORIZON: Horizon = { time: null, position: null };

/** @throws CommandRefused invalid */
export function parseHorizon(asOf: string | undefined): Horizon {
  if (asOf === undefined) return NO_HORIZON;
  const at = parseAsOf(asOf);
  return 'seq' in at ? { time: null, position: at.seq } : { time: at.time, position: null };
}

/** @throws ApiError 400 for what was never a cursor */
export function positionOf(cursor: string, field: string): number {
  if (!/^\d{1,15}$/.test(cursor)) throw ApiError.invalid(`${field}: send a cursor as it was given to you`);
  return Number(cursor);
}

/** What events hold for services and nobody is shown: digests and sealed forms of secrets. */
const SECRETS: Readonly<Record<string, readonly string[]>> = {
  KeyIssued: ['secretSha256', 'sealedSecret'],
  WebhookCreated: ['sealedSecret'],
  WebhookChanged: ['sealedSecret'],
};

/** The event as it may be shown to those who may read. */
export function withoutSecrets<E extends Pick<LedgerEvent, 'type' | 'data'>>(event: E): E {
  const secret = SECRETS[event.type];
  if (!secret) return event;
  return { ...event, data: Object.fromEntries(Object.entries(event.data).filter(([key]) => !secret.includes(key))) };
}
