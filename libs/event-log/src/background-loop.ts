/** What a turn found: more work at once, or none until it is woken or the poll interval has passed. */
export type TurnResult = 'more' | 'idle';

export interface BackgroundLoopOptions {
  turn(): Promise<TurnResult>;
  /** A failed turn is reported here and repeated after `retryMs`. */
  onError(error: unknown): void;
  /** A lost wake-up costs at most this. */
  pollMs: number;
  /** The poll interval when left out. */
  retryMs?: number;
  /** Turns begin at least this far apart, so that under load each finds a batch. */
  intervalMsMin?: number;
}

/** Repeats a turn: at once while there is more, else when woken or after the poll interval. One turn at a time. */
export class BackgroundLoop {
  private stopped = false;
  private woken = false;
  private endWait: (() => void) | undefined;
  private running: Promise<void> | undefined;

  constructor(private readonly options: BackgroundLoopOptions) {}

  start(): void {
    this.running ??= this.run();
  }

  wake(): void {
    this.woken = true;
    this.endWait?.();
  }

  /** Resolves when the turn under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.endWait?.();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const startedAt = performance.now();
      this.woken = false;
      const result = await this.takeTurn();
      if (result === 'more') continue;
      if (!this.woken) await this.wait(this.options.pollMs);
      const early = (this.options.intervalMsMin ?? 0) - (performance.now() - startedAt);
      if (early > 0 && !this.stopped) await new Promise((resolve) => setTimeout(resolve, early));
    }
  }

  private async takeTurn(): Promise<TurnResult> {
    try {
      return await this.options.turn();
    } catch (error) {
      if (!this.stopped) this.options.onError(error);
      await this.wait(this.options.retryMs ?? this.options.pollMs);
      return 'more';
    }
  }

  private async wait(ms: number): Promise<void> {
    if (this.stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.endWait = undefined;
  }
}
