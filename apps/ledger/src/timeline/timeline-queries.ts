import { Injectable } from '@nestjs/common';
import { ApiError } from '@mledger/service-kit';
import { DataSource } from 'typeorm';
import { withoutSecrets, type LedgerEvent } from './ledger-event';
import { TimelineOrder } from './timeline-order';
import { EVENTS_BETWEEN, NEWEST_FIRST, OLDEST_FIRST } from './timeline.sql';

export interface EventFilter {
  readonly stream?: string;
  readonly type?: string;
  readonly service?: string;
  readonly correlation?: string;
}

export interface PageQuery extends EventFilter {
  readonly order: 'oldest' | 'newest';
  /** Exclusive; from the end in question when left out. */
  readonly after?: number;
  readonly limit: number;
}

export type TenantEvent = LedgerEvent & { readonly tenant: string };

/** Reads the timeline in its order, a tenant's part at a time. */
@Injectable()
export class TimelineQueries {
  constructor(
    private readonly dataSource: DataSource,
    private readonly order: TimelineOrder,
  ) {}

  /** @throws ApiError 503 while the timeline is not whole */
  async page(tenant: string, { order, after, limit, ...filter }: PageQuery): Promise<LedgerEvent[]> {
    await this.assertWhole();
    const { stream = null, type = null, service = null, correlation = null } = filter;
    const filters = [tenant, stream, type, service, correlation];
    const bounds = order === 'oldest' ? [after ?? 0, MAX] : [after ?? MAX, 0];
    const sql = order === 'oldest' ? OLDEST_FIRST : NEWEST_FIRST;
    const events = (await this.dataSource.query(sql, [...filters, ...bounds, limit])) as LedgerEvent[];
    return events.map(withoutSecrets);
  }

  /** A tenant's events in a range of positions, the oldest first. */
  async between(tenant: string, range: { after: number; upTo: number; limit: number }): Promise<LedgerEvent[]> {
    await this.assertWhole();
    const parameters = [tenant, null, null, null, null, range.after, range.upTo, range.limit];
    return ((await this.dataSource.query(OLDEST_FIRST, parameters)) as LedgerEvent[]).map(withoutSecrets);
  }

  /** Everybody's events in a range of positions. */
  async ofAllTenants(range: { after: number; upTo: number }): Promise<TenantEvent[]> {
    const events = await this.dataSource.query<TenantEvent[]>(EVENTS_BETWEEN, [range.after, range.upTo]);
    return events.map(withoutSecrets);
  }

  private async assertWhole(): Promise<void> {
    const reason = await this.order.unreadyReason();
    if (reason !== undefined) throw ApiError.unavailable(reason);
  }
}

const MAX = Number.MAX_SAFE_INTEGER;
