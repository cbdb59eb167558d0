import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { WindowJudge } from '../performance/window-judge';
import { cutWindows } from './cut-windows';
import type { RowPiece } from './payload-rows';
import { WindowCloser } from './window-closer';
import {
  closeRows,
  dropOpenRows,
  insertRows,
  knownRequests,
  openRows,
  rowsOpen,
  setRowsOpen,
  type Watcher,
} from './window-rows';

/** Puts rows into a monitor's open window, and closes each as soon as it is full, exactly. */
@Injectable()
export class WindowGatherer {
  constructor(
    private readonly closer: WindowCloser,
    private readonly judge: WindowJudge,
  ) {}

  /** Needs the monitor's lock. Everything that it writes goes through `manager`. */
  async gather(monitor: Watcher, pieces: readonly RowPiece[], manager: EntityManager): Promise<void> {
    const fresh = await this.withoutKnown(monitor, pieces, manager);
    if (fresh.length === 0) return;
    if (monitor.definition.profile === null) await this.gatherReference(monitor, fresh, manager);
    else await this.gatherWindows(monitor, fresh, manager);
  }

  private async gatherWindows(monitor: Watcher, pieces: readonly RowPiece[], manager: EntityManager): Promise<void> {
    const { windowRows, performance } = monitor.definition;
    const before = await rowsOpen(manager, monitor);
    const { full, rest } = cutWindows(pieces, before, windowRows);
    for (const [index, lastPieces] of full.entries()) {
      const earlier = index === 0 && before > 0 ? await openRows(manager, monitor) : [];
      const windowId = await this.closer.close(monitor, [...earlier, ...lastPieces], manager);
      await closeRows(manager, monitor, { windowId, lastPieces, awaitsLabels: performance !== null });
      // Its labels may have come before its last rows.
      if (performance) await this.judge.judge(monitor, [windowId], manager);
    }
    await insertRows(manager, monitor, rest);
    await setRowsOpen(manager, monitor, (full.length === 0 ? before : 0) + rowCount(rest));
  }

  /** The first rows served are the reference; what comes after them is the first window's. */
  private async gatherReference(monitor: Watcher, pieces: readonly RowPiece[], manager: EntityManager): Promise<void> {
    const before = await rowsOpen(manager, monitor);
    const { full, rest } = cutWindows(pieces, before, monitor.definition.reference.rows);
    const [lastPieces, ...later] = full;
    if (!lastPieces) {
      await insertRows(manager, monitor, rest);
      return setRowsOpen(manager, monitor, before + rowCount(rest));
    }
    const earlier = await openRows(manager, monitor);
    const definition = await this.closer.takeReference(monitor, [...earlier, ...lastPieces], manager);
    await dropOpenRows(manager, monitor);
    await this.gatherWindows({ ...monitor, definition }, [...later.flat(), ...rest], manager);
  }

  /** A request that travelled twice counts once; one without rows, not at all. */
  private async withoutKnown(
    monitor: Watcher,
    pieces: readonly RowPiece[],
    manager: EntityManager,
  ): Promise<RowPiece[]> {
    const byRequest = new Map(pieces.filter(({ rows }) => rows > 0).map((piece) => [piece.requestId, piece]));
    if (byRequest.size === 0) return [];
    const known = await knownRequests(manager, monitor, [...byRequest.keys()]);
    return [...byRequest.values()].filter(({ requestId }) => !known.has(requestId));
  }
}

function rowCount(pieces: readonly RowPiece[]): number {
  return pieces.reduce((sum, { rows }) => sum + rows, 0);
}
