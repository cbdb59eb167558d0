import { v7 } from 'uuid';

/** The time, as a service may know it; tests give their own. */
export class Clock {
  nowMs(): number {
    return Date.now();
  }

  /** For durations; its zero means nothing. */
  monotonicMs(): number {
    return performance.now();
  }

  /** RFC 3339 in UTC with exactly three decimals. */
  now(): string {
    return new Date(this.nowMs()).toISOString();
  }
}

/** New ids; tests give their own. */
export class Ids {
  /** UUIDv7: unique, and in order of time. */
  uuidv7(): string {
    return v7();
  }
}
