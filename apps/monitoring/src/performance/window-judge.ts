import { Injectable } from '@nestjs/common';
import type { EvaluatedWindow } from '@mledger/contracts';
import { Ids } from '@mledger/service-kit';
import type { EntityManager } from 'typeorm';
import type { Cell } from '../drift/sample';
import { MonitorHandler } from '../monitor/monitor.handler';
import { SERVICE_ACTOR } from '../windows/service-actor';
import type { Watcher } from '../windows/window-rows';
import { MARK_JUDGED, WINDOW, WINDOW_LABELS } from './labels.sql';
import { performanceOf, type Label } from './predictive-performance';

interface LabelledRows {
  readonly rows: number;
  readonly firstRow: number;
  readonly predictions: readonly Cell[];
  readonly labels: readonly (readonly [row: number, label: Label])[];
}

/** Holds the predictions of closed windows against their labels, once there are enough of them. */
@Injectable()
export class WindowJudge {
  constructor(
    private readonly monitors: MonitorHandler,
    private readonly ids: Ids,
  ) {}

  /** Needs the monitor's lock. A window is judged once; labels that come later change nothing. */
  async judge(monitor: Watcher, windowIds: readonly string[], manager: EntityManager): Promise<void> {
    for (const windowId of windowIds) await this.judgeOne(monitor, windowId, manager);
  }

  private async judgeOne(monitor: Watcher, windowId: string, manager: EntityManager): Promise<void> {
    const { tenant, monitorId, endpoint, definition } = monitor;
    const target = definition.performance;
    if (!target) return;
    const requests: LabelledRows[] = await manager.query(WINDOW_LABELS, [tenant, monitorId, windowId, endpoint]);
    const rows = requests.reduce((sum, request) => sum + request.rows, 0);
    const pairs = requests.flatMap(({ firstRow, predictions, labels }) =>
      labels.map(([row, label]) => ({ prediction: predictions[row - firstRow] ?? null, label })),
    );
    if (pairs.length === 0 || pairs.length < target.labelledShare * rows) return;
    const [found]: { window: EvaluatedWindow }[] = await manager.query(WINDOW, [tenant, monitorId, windowId]);
    const { window } = found!;
    const performance = { metric: target.metric, value: performanceOf(target.metric, pairs), labelled: pairs.length };
    const alertId = this.ids.uuidv7();
    const context = { tenant, actor: SERVICE_ACTOR, cause: `request:${window.to}`, correlation: windowId };
    const command = { type: 'RecordPerformance', window, performance, alertId } as const;
    await this.monitors.record(monitor, command, context, manager);
    await manager.query(MARK_JUDGED, [tenant, monitorId, windowId]);
  }
}
