import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;

/** Tries until it no longer throws, and gives its result; at the bound the last error. */
export async function eventually<T>(attempt: () => Promise<T> | T, boundMs = 30_000): Promise<T> {
  const endMs = performance.now() + boundMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    await pause(POLL_MS);
  }
}
