import { setTimeout as delay } from 'node:timers/promises';

/** How long a request waits for events of other services that its client has already caused. */
export const ARRIVAL_MS_MAX = 2_000;
const RETRY_MS = 25;

/** Reads until the result is as wanted or the time is over; answers the last result either way. */
export async function until<T>(
  read: () => Promise<T>,
  wanted: (result: T) => boolean,
  waitMsMax = ARRIVAL_MS_MAX,
): Promise<T> {
  const end = Date.now() + waitMsMax;
  for (;;) {
    const result = await read();
    if (wanted(result) || Date.now() >= end) return result;
    await delay(RETRY_MS);
  }
}
