import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { ApiError, ReadModelFeeds } from '@mledger/service-kit';

/** How long a request waits for events of other services that its client has already caused. */
const ARRIVAL_MS_MAX = 2_000;
const RETRY_MS = 25;

export interface Awaited<T> {
  /** The name of the read model that is read. */
  readonly from: string;
  read(): Promise<T>;
  isThere(result: NoInfer<T>): boolean;
  readonly waitMsMax?: number;
}

/** Waits for what other services have told, and may not have arrived. */
@Injectable()
export class Arrivals {
  constructor(private readonly feeds: ReadModelFeeds) {}

  /**
   * Reads until the result is there or the time is over; answers the last result either way.
   *
   * @throws ApiError `unavailable` when it is not there and its read model is known to be behind: clients try that again
   */
  async until<T>({ from, read, isThere, waitMsMax = ARRIVAL_MS_MAX }: Awaited<T>): Promise<T> {
    const endMs = performance.now() + waitMsMax;
    for (;;) {
      const result = await read();
      if (isThere(result)) return result;
      if (performance.now() >= endMs) {
        if (!(await this.feeds.isBehind(from))) return result;
        throw ApiError.unavailable('Not all that other services have told is known here yet: try again shortly');
      }
      await delay(RETRY_MS);
    }
  }
}
