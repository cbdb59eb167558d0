import { Injectable } from '@nestjs/common';
import { ApiError } from '@mledger/service-kit';
import { DataSource, type EntityManager } from 'typeorm';
import { findWatchers, LABELS_AWAITED_DAYS, lockMonitors, type Watcher } from '../windows/window-rows';
import { EXPIRE_LABELS, REQUESTS_SEEN, STORE_LABELS } from './labels.sql';
import type { Label } from './predictive-performance';
import { WindowJudge } from './window-judge';

export interface LabelledRow {
  readonly requestId: string;
  readonly row: number;
  readonly label: Label;
}

interface SeenRequest {
  readonly monitorId: string;
  readonly requestId: string;
  readonly windowId: string | null;
  readonly judged: boolean;
}

/** Takes ground truth for predictions, and judges the windows that have enough of it. */
@Injectable()
export class LabelHandler {
  constructor(
    private readonly database: DataSource,
    private readonly judge: WindowJudge,
  ) {}

  /**
   * Stores labels, a second one for a row in place of the first. Those of requests that no monitor has seen yet are kept too:
   * labels and predictions come by different ways.
   *
   * @returns request ids that no monitor of the endpoint knows, yet or any more
   * @throws ApiError 404 where no monitor judges the endpoint's predictions
   */
  async take(
    { tenant, endpoint }: { tenant: string; endpoint: string },
    labels: readonly LabelledRow[],
  ): Promise<string[]> {
    return this.database.transaction(async (manager) => {
      const found = await this.judging(manager, { tenant, endpoint });
      if (found.length === 0) {
        throw ApiError.notFound(
          `no monitor with "performance" watches ${endpoint}: define one, for it to keep predictions`,
        );
      }
      await lockMonitors(manager, found);
      const locked = new Set(found.map(({ monitorId }) => monitorId));
      // One may have been defined anew or deleted before its lock was ours; a new one has no windows yet.
      const monitors = (await this.judging(manager, { tenant, endpoint })).filter(({ monitorId }) =>
        locked.has(monitorId),
      );
      const requestIds = [...new Set(labels.map(({ requestId }) => requestId))];
      await this.store(manager, { tenant, endpoint }, labels);
      const seen: SeenRequest[] = await manager.query(REQUESTS_SEEN, [tenant, [...locked], requestIds]);
      for (const monitor of monitors) await this.judge.judge(monitor, unjudgedWindows(monitor, seen), manager);
      const known = new Set(seen.map(({ requestId }) => requestId));
      return requestIds.filter((requestId) => !known.has(requestId));
    });
  }

  private async judging(manager: EntityManager, endpoint: { tenant: string; endpoint: string }): Promise<Watcher[]> {
    const watchers = await findWatchers(manager, [endpoint]);
    return watchers.filter(({ definition }) => definition.performance !== null);
  }

  private async store(
    manager: EntityManager,
    { tenant, endpoint }: { tenant: string; endpoint: string },
    labels: readonly LabelledRow[],
  ): Promise<void> {
    await manager.query(EXPIRE_LABELS, [LABELS_AWAITED_DAYS]);
    // One statement may touch a row once; of several labels for it the last one counts.
    const rows = [...new Map(labels.map((label) => [`${label.requestId}/${label.row}`, label])).values()];
    await manager.query(STORE_LABELS, [
      tenant,
      endpoint,
      rows.map(({ requestId }) => requestId),
      rows.map(({ row }) => row),
      rows.map(({ label }) => JSON.stringify(label)),
    ]);
  }
}

function unjudgedWindows({ monitorId }: Watcher, seen: readonly SeenRequest[]): string[] {
  const own = seen.filter((request) => request.monitorId === monitorId && !request.judged);
  return [...new Set(own.flatMap(({ windowId }) => windowId ?? []))].sort();
}
