import { Injectable } from '@nestjs/common';
import { isFull } from '@mledger/event-log';
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

export interface TimelinePage {
  readonly events: LedgerEvent[];
  /** The limit of events or bytes came before the end. */
  readonly more: boolean;
}

export type TenantEvent = LedgerEvent & { readonly tenant: string };
type PageRow = TenantEvent & { readonly bytesUpTo: number };

/** Reads the timeline in its order, a tenant's part at a time. */
@Injectable()
export class TimelineQueries {
  constructor(
    private readonly dataSource: DataSource,
    private readonly order: TimelineOrder,
  ) {}

  /** @throws ApiError 503 while the timeline is not whole */
  page(tenant: string, { order, after, limit, ...filter }: PageQuery): Promise<TimelinePage> {
    const { stream = null, type = null, service = null, correlation = null } = filter;
    const filters = [tenant, stream, type, service, correlation];
    return order === 'oldest'
      ? this.read(OLDEST_FIRST, [...filters, after ?? 0, MAX], limit)
      : this.read(NEWEST_FIRST, [...filters, after ?? MAX, 0], limit);
  }

  /** A tenant's events in a range of positions, the oldest first. */
  between(tenant: string, range: { after: number; upTo: number; limit: number }): Promise<TimelinePage> {
    return this.read(OLDEST_FIRST, [tenant, null, null, null, null, range.after, range.upTo], range.limit);
  }

  /** Everybody's events in a range of positions, and how far of it they go. */
  async ofAllTenants(range: { after: number; upTo: number }): Promise<{ events: TenantEvent[]; upTo: number }> {
    const rows = await this.dataSource.query<PageRow[]>(EVENTS_BETWEEN, [range.after, range.upTo]);
    const last = rows.at(-1);
    const cut = last && isFull({ count: rows.length, limit: range.upTo - range.after, bytes: last.bytesUpTo });
    const events = rows.map(({ bytesUpTo: _bytes, ...event }) => withoutSecrets(event));
    return { events, upTo: cut ? Number(last.cursor) : range.upTo };
  }

  /** One event more than the limit is looked for, so that a last page says it is the last. */
  private async read(sql: string, bounds: readonly unknown[], limit: number): Promise<TimelinePage> {
    await this.assertWhole();
    const rows = await this.dataSource.query<PageRow[]>(sql, [...bounds, limit + 1]);
    const events = rows
      .slice(0, limit)
      .map(({ bytesUpTo: _bytes, tenant: _tenant, ...event }) => withoutSecrets(event));
    return { events, more: isFull({ count: rows.length, limit: limit + 1, bytes: rows.at(-1)?.bytesUpTo }) };
  }

  private async assertWhole(): Promise<void> {
    const reason = await this.order.unreadyReason();
    if (reason !== undefined) throw ApiError.unavailable(reason);
  }
}

const MAX = Number.MAX_SAFE_INTEGER;
