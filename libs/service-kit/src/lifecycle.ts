const DRAIN_MS_MAX = 30_000;

/** Why a service cannot serve now, or undefined when it can. */
export type ReadinessCheck = () => string | undefined | Promise<string | undefined>;

/** Whether the service is ready, and how it ends. Providers add what they need before they can serve. */
export class Lifecycle {
  private readonly checks = new Map<string, ReadinessCheck>();
  private readonly ending = new AbortController();
  private inFlight = 0;
  private drained: (() => void) | undefined;

  /** Fires when the service begins to stop: endless answers (live feeds) end on it. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  get stopping(): boolean {
    return this.ending.signal.aborted;
  }

  addReadiness(name: string, check: ReadinessCheck): void {
    this.checks.set(name, check);
  }

  /** What is missing, one sentence each; empty when ready. */
  async unreadyReasons(): Promise<string[]> {
    if (this.stopping) return ['the service is stopping'];
    const reasons = await Promise.all(
      [...this.checks].map(async ([name, check]) => {
        try {
          const reason = await check();
          return reason === undefined ? undefined : `${name}: ${reason}`;
        } catch (error) {
          return `${name}: ${(error as Error).message}`;
        }
      }),
    );
    return reasons.filter((reason) => reason !== undefined);
  }

  requestBegan(): void {
    this.inFlight++;
  }

  requestEnded(): void {
    this.inFlight--;
    if (this.inFlight === 0) this.drained?.();
  }

  /** From now on unready; resolves when the last request in hand is answered, or after 30 s at most. */
  async drain(): Promise<void> {
    this.ending.abort();
    if (this.inFlight === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, DRAIN_MS_MAX)));
    await Promise.race([new Promise<void>((resolve) => (this.drained = resolve)), timeout]);
    clearTimeout(timer);
  }
}
