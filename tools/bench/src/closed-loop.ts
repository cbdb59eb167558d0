export interface LoadOptions {
  callers: number;
  warmUpSeconds: number;
  seconds: number;
  /** One request; `caller` and `count` tell it from all others. */
  work(caller: number, count: number): Promise<unknown>;
}

export interface LoadResult {
  /** Requests that ended in the measured time. */
  readonly count: number;
  readonly perSecond: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
}

/** So many callers, each of which sends its next request when the last was answered. */
export async function closedLoop({ callers, warmUpSeconds, seconds, work }: LoadOptions): Promise<LoadResult> {
  const startedAt = performance.now();
  const measuredFrom = startedAt + warmUpSeconds * 1_000;
  const until = measuredFrom + seconds * 1_000;
  const latencies: number[] = [];
  const caller = async (number: number) => {
    for (let count = 0; ; count += 1) {
      const sentAt = performance.now();
      if (sentAt >= until) return;
      await work(number, count);
      const answeredAt = performance.now();
      if (answeredAt >= measuredFrom && answeredAt < until) latencies.push(answeredAt - sentAt);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, number) => caller(number)));
  latencies.sort((a, b) => a - b);
  const quantile = (share: number) => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN;
  return {
    count: latencies.length,
    perSecond: latencies.length / seconds,
    latencyMs: { p50: quantile(0.5), p99: quantile(0.99) },
  };
}
