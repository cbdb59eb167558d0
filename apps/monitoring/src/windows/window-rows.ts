import { lockKey } from '@mledger/event-log';
import type { EntityManager } from 'typeorm';
import { monitorStream } from '../monitor/monitor-streams';
import type { MonitorRow } from '../projections/monitors.projection';
import type { RowPiece } from './payload-rows';
import * as sql from './window-rows.sql';

/** How long predictions wait for their labels, and labels for their predictions. */
export const LABELS_AWAITED_DAYS = 30;

/** What gathering needs of a monitor. */
export type Watcher = Omit<MonitorRow, 'definedBy'>;
type MonitorKey = Pick<Watcher, 'tenant' | 'monitorId'>;

/** The monitors of some endpoints; to be asked again under their locks before anything is done with them. */
export function findWatchers(
  manager: EntityManager,
  endpoints: readonly { readonly tenant: string; readonly endpoint: string }[],
): Promise<Watcher[]> {
  return manager.query(sql.WATCHERS, [
    endpoints.map(({ tenant }) => tenant),
    endpoints.map(({ endpoint }) => endpoint),
  ]);
}

/**
 * One transaction at a time works on a monitor's windows. The locks are those under which its stream is appended to, taken
 * before the first write: a stream that is loaded later in this transaction cannot have changed since.
 */
export async function lockMonitors(manager: EntityManager, monitors: readonly MonitorKey[]): Promise<void> {
  const keys = monitors.map(({ tenant, monitorId }) =>
    lockKey('monitoring', 'stream', monitorStream(tenant, monitorId)),
  );
  await manager.query(sql.LOCK, [keys.sort((a, b) => (a < b ? -1 : 1)).map(String)]);
}

/** How many rows the open window, or the reference that is being gathered, has so far. */
export async function rowsOpen(manager: EntityManager, { tenant, monitorId }: MonitorKey): Promise<number> {
  const [row]: { rows: number }[] = await manager.query(sql.ROWS_OPEN, [tenant, monitorId]);
  return row?.rows ?? 0;
}

export async function setRowsOpen(
  manager: EntityManager,
  { tenant, monitorId }: MonitorKey,
  rows: number,
): Promise<void> {
  await manager.query(sql.SET_ROWS_OPEN, [tenant, monitorId, rows]);
}

export async function knownRequests(
  manager: EntityManager,
  { tenant, monitorId }: MonitorKey,
  requestIds: readonly string[],
): Promise<Set<string>> {
  const rows: { requestId: string }[] = await manager.query(sql.KNOWN_REQUESTS, [tenant, monitorId, requestIds]);
  return new Set(rows.map(({ requestId }) => requestId));
}

export function openRows(manager: EntityManager, { tenant, monitorId }: MonitorKey): Promise<RowPiece[]> {
  return manager.query(sql.OPEN_ROWS, [tenant, monitorId]);
}

/** @param windowId of a window that is closed: then columns are not kept */
export async function insertRows(
  manager: EntityManager,
  { tenant, monitorId }: MonitorKey,
  pieces: readonly RowPiece[],
  windowId: string | null = null,
): Promise<void> {
  if (pieces.length === 0) return;
  await manager.query(sql.INSERT_ROWS, [
    tenant,
    monitorId,
    windowId,
    pieces.map(({ requestId }) => requestId),
    pieces.map(({ time }) => time),
    pieces.map(({ firstRow }) => firstRow),
    pieces.map(({ rows }) => rows),
    pieces.map(({ requestRows }) => requestRows),
    pieces.map(({ columns }) => (windowId === null ? JSON.stringify(columns) : null)),
    pieces.map(({ predictions }) => JSON.stringify(predictions)),
  ]);
}

/** The open window is closed under an id; its predictions are kept where labels will be held against them. */
export async function closeRows(
  manager: EntityManager,
  { tenant, monitorId }: MonitorKey,
  closing: { windowId: string; lastPieces: readonly RowPiece[]; awaitsLabels: boolean },
): Promise<void> {
  if (!closing.awaitsLabels) {
    await manager.query(sql.DROP_OPEN_ROWS, [tenant, monitorId]);
    return;
  }
  await manager.query(sql.CLOSE_ROWS, [tenant, monitorId, closing.windowId]);
  await insertRows(manager, { tenant, monitorId }, closing.lastPieces, closing.windowId);
  await manager.query(sql.EXPIRE_ROWS, [tenant, monitorId, LABELS_AWAITED_DAYS]);
}

/** The open window begins anew: what it holds was gathered for another definition, or has become the reference. */
export async function dropOpenRows(manager: EntityManager, { tenant, monitorId }: MonitorKey): Promise<void> {
  await manager.query(sql.DROP_OPEN_ROWS, [tenant, monitorId]);
  await manager.query(sql.DROP_OPEN_WINDOW, [tenant, monitorId]);
}

export async function dropAllRows(manager: EntityManager, { tenant, monitorId }: MonitorKey): Promise<void> {
  await manager.query(sql.DROP_ALL_ROWS, [tenant, monitorId]);
  await manager.query(sql.DROP_OPEN_WINDOW, [tenant, monitorId]);
}
