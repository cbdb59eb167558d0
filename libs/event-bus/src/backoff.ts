import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

const FIRST_MS = 100;
const LAST_MS = 30_000;

/** How long to wait after the n-th failure in a row (1, 2, …): 100 ms doubling up to 30 s, less up to a fifth by chance. */
export function backoffMs(failures: number): number {
  const full = Math.min(FIRST_MS * 2 ** (failures - 1), LAST_MS);
  return Math.round(full * (1 - 0.2 * Math.random()));
}

/** Waits, or returns early when the signal is raised; true: it waited to the end. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}

/** Ends every wait of whoever works for it; Node would take more than ten of them for a leak. */
export function stopController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
