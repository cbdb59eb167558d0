/** So many at once, the others in the order in which they came. */
export class Slots {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  /** @returns what gives the slot back; when the signal aborts first, a function that does nothing, at once */
  async take(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return () => undefined;
    if (this.free > 0) {
      this.free -= 1;
      return this.giveBackOnce();
    }
    return new Promise((resolve) => {
      const granted = () => {
        signal.removeEventListener('abort', aborted);
        resolve(this.giveBackOnce());
      };
      const aborted = () => {
        this.waiting.splice(this.waiting.indexOf(granted), 1);
        resolve(() => undefined);
      };
      this.waiting.push(granted);
      signal.addEventListener('abort', aborted, { once: true });
    });
  }

  private giveBackOnce(): () => void {
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    };
  }
}
