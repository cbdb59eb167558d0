import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { AlertRow } from './alerts.projection';
import { ALERTS, MONITOR, MONITORS, WINDOWS } from './monitor-queries.sql';
import type { MonitorRow } from './monitors.projection';
import type { WindowRow } from './windows.projection';

export type MonitorView = MonitorRow & { readonly rowsGathered: number; readonly openAlerts: number };
export type WindowView = Pick<WindowRow, 'number' | 'evaluation' | 'evaluatedAt' | 'performance'>;
export type AlertView = Omit<AlertRow, 'tenant' | 'monitorId'>;

/** Reads monitors, their windows and their alerts. Lists give one more than the limit if there are more. */
@Injectable()
export class MonitorQueries {
  constructor(private readonly database: DataSource) {}

  async monitor(tenant: string, name: string): Promise<MonitorView | undefined> {
    const [row] = await this.database.query<MonitorView[]>(MONITOR, [tenant, name]);
    return row;
  }

  monitors(tenant: string, page: { after?: string; limit: number }): Promise<MonitorView[]> {
    return this.database.query(MONITORS, [tenant, page.after ?? null, page.limit + 1]);
  }

  windows(tenant: string, of: { monitorId: string; before: number; limit: number }): Promise<WindowView[]> {
    return this.database.query(WINDOWS, [tenant, of.monitorId, of.before, of.limit + 1]);
  }

  alerts(
    tenant: string,
    of: { monitorId: string; status?: string; before?: string; limit: number },
  ): Promise<AlertView[]> {
    const parameters = [tenant, of.monitorId, of.status ?? null, of.before ?? null, of.limit + 1];
    return this.database.query(ALERTS, parameters);
  }
}
