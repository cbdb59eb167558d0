import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { ApiError, ReadModelFeeds } from '@mledger/service-kit';

/** How long a request waits for events of other services that its client has already caused. */
const ARRIVAL_MS_MAX = 2_000;
const RETRY_MS = 25;
/** Far longer than from one event of a client to its next. */
const QUIET_MS = 500;

export interface Awaited<T> {
  /** The name of the read model that is read. */
  readonly from: string;
  read(): Promise<T>;
  isThere(result: NoInfer<T>): boolean;
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
  async until<T>({ from, read, isThere }: Awaited<T>): Promise<T> {
    const endMs = performance.now() + ARRIVAL_MS_MAX;
    for (;;) {
      const result = await read();
      if (isThere(result)) return result;
      if (performance.now() >= endMs) {
        if (!(await this.feeds.isBehind(from))) return result;
        throw notAllKnown();
      }
      await delay(RETRY_MS);
    }
  }

  /**
   * Reads until nothing new has come for a while: where no mark says that all is there, that is the best sign.
   *
   * @throws ApiError `unavailable` when something still comes, or the read model is known to be behind
   */
  async settled<T>({ from, read }: Pick<Awaited<T>, 'from' | 'read'>): Promise<T> {
    const endMs = performance.now() + ARRIVAL_MS_MAX;
    let result = await read();
    for (let quietFromMs = performance.now(); performance.now() < endMs;) {
      await delay(RETRY_MS);
      const again = await read();
      if (!isDeepStrictEqual(again, result)) quietFromMs = performance.now();
      result = again;
      if (performance.now() - quietFromMs >= QUIET_MS && !(await this.feeds.isBehind(from))) return result;
    }
    throw notAllKnown();
  }
}

function notAllKnown(): ApiError {
  return ApiError.unavailable('Not all that other services have told is known here yet: try again shortly');
}
