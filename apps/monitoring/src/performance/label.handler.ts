import { Injectable } from '@nestjs/common';
import type { CommandContext } from '@mledger/event-log';
import { ApiError } from '@mledger/service-kit';
import { DataSource, type EntityManager } from 'typeorm';
import { MonitorHandler } from '../monitor/monitor.handler';
import { findWatchers, LABELS_AWAITED_DAYS, lockMonitors, type Watcher } from '../windows/window-rows';
import { EXPIRE_LABELS, LABELS_OF_REQUESTS, ROWS_SEEN, STORE_LABELS } from './labels.sql';
import { placeLabels, type LabelledRow, type SeenRows } from './placed-labels';
import { WindowJudge } from './window-judge';

export interface TakenLabels {
  /** Request ids that no monitor of the endpoint knows, yet or any more. */
  readonly unknownRequests: readonly string[];
  /** Labels that say something new of rows which have been judged: they change nothing. */
  readonly tooLate: number;
}

interface Endpoint {
  readonly tenant: string;
  readonly endpoint: string;
}

/** Takes ground truth for predictions, and judges the windows that have enough of it. */
@Injectable()
export class LabelHandler {
  constructor(
    private readonly database: DataSource,
    private readonly monitors: MonitorHandler,
    private readonly judge: WindowJudge,
  ) {}

  /**
   * Stores labels, a second one for a row in place of the first until it is judged. Those of requests that no monitor has seen
   * yet are kept too: labels and predictions come by different ways.
   *
   * @throws ApiError 404 where no monitor judges the endpoint's predictions, 400 for a row that its request has not
   */
  async take(endpoint: string, labels: readonly LabelledRow[], context: CommandContext): Promise<TakenLabels> {
    const of = { tenant: context.tenant, endpoint };
    return this.database.transaction(async (manager) => {
      const monitors = await this.lockedMonitors(manager, of);
      // A request that is sent again must not undo what others have corrected meanwhile.
      const isRepeat = await this.monitors.isRepeatOfLabels(monitors[0]!, context, manager);
      const requestIds = [...new Set(labels.map(({ requestId }) => requestId))];
      const monitorIds = monitors.map(({ monitorId }) => monitorId);
      const seen: SeenRows[] = await manager.query(ROWS_SEEN, [of.tenant, monitorIds, requestIds]);
      const { awaited, judged, unknownRequests, fault } = placeLabels(labels, seen);
      if (!isRepeat) {
        if (fault !== undefined) throw ApiError.invalid(fault);
        await this.store(manager, of, awaited);
        for (const monitor of monitors) await this.judge.judge(monitor, unjudgedWindows(monitor, seen), manager);
      }
      return { unknownRequests, tooLate: await this.newOf(manager, of, judged) };
    });
  }

  private async lockedMonitors(manager: EntityManager, of: Endpoint): Promise<Watcher[]> {
    const found = await this.judging(manager, of);
    await lockMonitors(manager, found);
    const locked = new Set(found.map(({ monitorId }) => monitorId));
    // One may have been defined anew or deleted before its lock was ours; a new one has no windows yet.
    const monitors = (await this.judging(manager, of)).filter(({ monitorId }) => locked.has(monitorId));
    if (monitors.length > 0) return monitors;
    throw ApiError.notFound(
      `no monitor with "performance" watches ${of.endpoint}: define one, for it to keep predictions`,
    );
  }

  private async judging(manager: EntityManager, of: Endpoint): Promise<Watcher[]> {
    const watchers = await findWatchers(manager, [of]);
    return watchers.filter(({ definition }) => definition.performance !== null);
  }

  private async store(
    manager: EntityManager,
    { tenant, endpoint }: Endpoint,
    rows: readonly LabelledRow[],
  ): Promise<void> {
    await manager.query(EXPIRE_LABELS, [LABELS_AWAITED_DAYS]);
    await manager.query(STORE_LABELS, [
      tenant,
      endpoint,
      rows.map(({ requestId }) => requestId),
      rows.map(({ row }) => row),
      rows.map(({ label }) => JSON.stringify(label)),
    ]);
  }

  /** How many differ from what is known: whose answer was lost and who sends the same again is not late. */
  private async newOf(
    manager: EntityManager,
    { tenant, endpoint }: Endpoint,
    labels: readonly LabelledRow[],
  ): Promise<number> {
    if (labels.length === 0) return 0;
    const requestIds = [...new Set(labels.map(({ requestId }) => requestId))];
    const stored: LabelledRow[] = await manager.query(LABELS_OF_REQUESTS, [tenant, endpoint, requestIds]);
    const known = new Map(stored.map(({ requestId, row, label }) => [`${requestId}/${row}`, label]));
    return labels.filter(({ requestId, row, label }) => known.get(`${requestId}/${row}`) !== label).length;
  }
}

function unjudgedWindows({ monitorId }: Watcher, seen: readonly SeenRows[]): string[] {
  const own = seen.filter((request) => request.monitorId === monitorId && !request.judged);
  return [...new Set(own.flatMap(({ windowId }) => windowId ?? []))].sort();
}
