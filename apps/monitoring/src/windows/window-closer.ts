import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { FeatureResult } from '@mledger/contracts';
import { Ids } from '@mledger/service-kit';
import type { EntityManager } from 'typeorm';
import { compareFeature, judged, sampleOf } from '../drift/feature-drift';
import { meanOf } from '../drift/moments';
import { numericSample, type Cell } from '../drift/sample';
import type { MonitorDefinition } from '../monitor/monitor';
import { MonitorHandler } from '../monitor/monitor.handler';
import { ReferenceProfiles } from '../reference/reference-profiles';
import type { RowPiece } from './payload-rows';
import { SERVICE_ACTOR } from './service-actor';
import type { Watcher } from './window-rows';

/** Turns gathered rows into what is on record: the figures of a window, or the reference of the windows to come. */
@Injectable()
export class WindowCloser {
  constructor(
    private readonly monitors: MonitorHandler,
    private readonly profiles: ReferenceProfiles,
    private readonly ids: Ids,
  ) {}

  /** @returns the window's id */
  async close(monitor: Watcher, pieces: readonly RowPiece[], manager: EntityManager): Promise<string> {
    const { definition, tenant } = monitor;
    const features = await this.compare(definition, pieces);
    const predictions = pieces.flatMap((piece) => piece.predictions);
    const windowId = this.ids.uuidv7();
    const window = { windowId, ...extentOf(pieces) };
    const meanPrediction = meanOf(numericSample(predictions).sorted);
    const alertId = this.ids.uuidv7();
    // Everything that follows from this window, a retraining say, carries its id.
    const context = { tenant, actor: SERVICE_ACTOR, cause: `request:${window.to}`, correlation: windowId };
    const command = { type: 'RecordWindow', window, features, meanPrediction, alertId } as const;
    await this.monitors.record(monitor, command, context, manager);
    return windowId;
  }

  /** @returns the definition with its reference */
  async takeReference(
    monitor: Watcher,
    pieces: readonly RowPiece[],
    manager: EntityManager,
  ): Promise<MonitorDefinition> {
    const { definition, tenant, revision } = monitor;
    const features = definition.features.map(({ feature, kind }, index) => ({
      feature,
      kind,
      values: columnOf(pieces, index),
    }));
    const profile = await this.profiles.put(monitor, { features });
    const { rows, to } = extentOf(pieces);
    const context = { tenant, actor: SERVICE_ACTOR, cause: `request:${to}`, correlation: to };
    await this.monitors.record(monitor, { type: 'TakeReference', revision, rows, profile }, context, manager);
    return { ...definition, profile };
  }

  private async compare(definition: MonitorDefinition, pieces: readonly RowPiece[]): Promise<FeatureResult[]> {
    if (definition.profile === null) throw new Error('a window was closed before there was a reference');
    const references = await this.profiles.get(definition.profile);
    const results: FeatureResult[] = [];
    for (const [index, feature] of definition.features.entries()) {
      const reference = references.get(feature.feature) ?? sampleOf(feature.kind, []);
      const current = sampleOf(feature.kind, columnOf(pieces, index));
      results.push(compareFeature(feature, { reference, current }, definition.mode));
      // Requests of this process must not wait for a window of many features.
      await setImmediate();
    }
    return judged(results, definition.mode);
  }
}

function columnOf(pieces: readonly RowPiece[], index: number): Cell[] {
  return pieces.flatMap(({ columns }) => columns[index] ?? []);
}

/** Request ids are UUIDv7: the least is of the first request, however the messages travelled. */
function extentOf(pieces: readonly RowPiece[]): {
  from: string;
  to: string;
  rows: number;
  fromTime: string;
  toTime: string;
} {
  const ids = pieces.map(({ requestId }) => requestId).sort();
  const times = pieces.map(({ time }) => time).sort();
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0);
  return { from: ids[0]!, to: ids.at(-1)!, rows, fromTime: times[0]!, toTime: times.at(-1)! };
}
