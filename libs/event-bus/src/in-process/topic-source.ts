import type { ReceivedMessage } from '../event-bus';

/** A topic of one partition, read by position. */
export interface TopicSource {
  /** Waits until the topic is there. */
  range(signal: AbortSignal): Promise<{ low: number; high: number }>;
  /** The messages from a position on, in order; empty when there are none yet. */
  read(from: number, messagesMax: number): Promise<readonly ReceivedMessage[]>;
  /** Returns when there may be a message at the position, or the signal is raised. */
  reached(position: number, signal: AbortSignal): Promise<void>;
  /** The position after the last message, as far as this process knows. */
  knownEnd(): number;
}

/** Those who wait for a topic to grow. */
export class Waiters {
  private readonly waiting = new Set<() => void>();

  async wait(ready: () => boolean, signal: AbortSignal): Promise<void> {
    while (!ready() && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.waiting.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.waiting.add(done);
        signal.addEventListener('abort', done);
      });
    }
  }

  wake(): void {
    for (const done of [...this.waiting]) done();
  }
}
