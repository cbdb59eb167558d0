import { BackgroundLoop, type TurnResult } from './background-loop';
import type { Sequenced } from './event';
import { readLogPage } from './log-reader';
import { sequencedTopic, type LogCore } from './log-core';

const BATCH_EVENTS_MAX = 500;
/** Long, because the sequencer of this process looks every second and wakes it; a log that was not started has none. */
const POLL_MS = 10_000;
const RETRY_MS = 1_000;

export interface SubscribeOptions {
  afterSeq: number;
  types?: readonly string[];
  /** Gets the events in order, a batch at a time; when it fails, the same batch comes again. */
  onEvents(events: readonly Sequenced[]): Promise<void>;
  onError?(error: unknown): void;
}

/** Reads the log from a position on and goes on as it grows. */
export class Subscription {
  private afterSeq: number;
  private readonly loop: BackgroundLoop;
  private readonly stopListening: () => void;

  constructor(
    private readonly core: LogCore,
    private readonly options: SubscribeOptions,
  ) {
    this.afterSeq = options.afterSeq;
    this.loop = new BackgroundLoop({
      turn: () => this.turn(),
      onError: (error) => (options.onError ? options.onError(error) : core.onError(error, 'subscription')),
      pollMs: POLL_MS,
      retryMs: RETRY_MS,
    });
    this.stopListening = core.bell.on(sequencedTopic(core.service), () => this.loop.wake());
    this.loop.start();
  }

  /** Resolves when the batch under way has been handled. */
  async stop(): Promise<void> {
    this.stopListening();
    await this.loop.stop();
  }

  private async turn(): Promise<TurnResult> {
    const { events } = await readLogPage(this.core, this.core.pool, {
      afterSeq: this.afterSeq,
      limit: BATCH_EVENTS_MAX,
      types: this.options.types,
    });
    const last = events.at(-1);
    if (!last) return 'idle';
    await this.options.onEvents(events);
    this.afterSeq = last.seq;
    return 'more';
  }
}
