import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Horizon, LedgerEvent } from './ledger-event';
import { BY_IDS, NEWEST_OF_STREAM, OF_STREAM, TIME_OF_POSITION } from './event-lookup.sql';

/** The log raises an alarm at streams of this length, so what is cut off here is no ordinary life. */
export const STREAM_EVENTS_MAX = 10_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a cause can be an event; others are requests, by whatever name. */
export function isEventId(text: string): boolean {
  return UUID.test(text);
}

/** Finds events by what names them, as far as a horizon. */
@Injectable()
export class EventLookup {
  constructor(private readonly dataSource: DataSource) {}

  /** Those that are known, in order of time. */
  async byIds(tenant: string, ids: readonly string[], horizon: Horizon): Promise<LedgerEvent[]> {
    const wanted = ids.filter(isEventId);
    if (wanted.length === 0) return [];
    return this.read(BY_IDS, tenant, horizon, [wanted]);
  }

  /** A stream's events in order. @param types all of them when left out */
  ofStream(tenant: string, stream: string, horizon: Horizon, types?: readonly string[]): Promise<LedgerEvent[]> {
    return this.read(OF_STREAM, tenant, horizon, [stream, types ?? null, STREAM_EVENTS_MAX]);
  }

  /** The latest events of these types in a stream, the newest first. */
  newestOfStream(
    tenant: string,
    stream: string,
    horizon: Horizon,
    { types, limit }: { types: readonly string[]; limit: number },
  ): Promise<LedgerEvent[]> {
    return this.read(NEWEST_OF_STREAM, tenant, horizon, [stream, types, limit]);
  }

  /** The moment up to which a horizon sees; null for now. */
  async timeOf({ time, position }: Horizon): Promise<string | null> {
    if (position === null) return time;
    const [row] = (await this.dataSource.query(TIME_OF_POSITION, [position])) as { time: string | null }[];
    return row!.time ?? '';
  }

  private read(sql: string, tenant: string, { time, position }: Horizon, rest: unknown[]): Promise<LedgerEvent[]> {
    return this.dataSource.query<LedgerEvent[]>(sql, [tenant, time, position, ...rest]);
  }
}
