import { setTimeout as delay } from 'node:timers/promises';

const TRIES_MAX = 30;
const RETRY_MS = 1_000;

export interface Patience {
  readonly retryMs?: number;
  /** Errors that another try would not change. */
  readonly isFinal?: (error: unknown) => boolean;
}

/**
 * Does again what fails: what a step has led to must not be lost to a database or an object store that restarts.
 *
 * @throws the last error, after half a minute
 */
export async function patiently<T>(work: () => Promise<T>, patience: Patience = {}): Promise<T> {
  const { retryMs = RETRY_MS, isFinal = () => false } = patience;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (isFinal(error) || attempt === TRIES_MAX) throw error;
      await delay(retryMs);
    }
  }
}
