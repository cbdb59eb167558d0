export interface Place {
  readonly topic: string;
  readonly partition: number;
}

interface Progress {
  next: bigint;
  high: bigint;
  failures: number;
  reachedHigh: boolean;
}

/** How far each partition in hand is handled, and when something last moved. */
export class PartitionProgress {
  private readonly places = new Map<string, Progress>();
  private movedAt = Date.now();
  private working = 0;

  begin(place: Place, { next, high }: { next: bigint; high: bigint }): void {
    this.places.set(key(place), { next, high, failures: 0, reachedHigh: next >= high });
    this.touch();
  }

  next(place: Place): bigint | undefined {
    return this.places.get(key(place))?.next;
  }

  seeHigh(place: Place, high: bigint): void {
    const progress = this.places.get(key(place));
    if (progress && high > progress.high) progress.high = high;
  }

  advance(place: Place, next: bigint): void {
    const progress = this.places.get(key(place));
    if (progress) {
      progress.next = next;
      progress.failures = 0;
      progress.reachedHigh ||= next >= progress.high;
    }
    this.touch();
  }

  /** Counts a failure; returns how many there were in a row. */
  fail(place: Place): number {
    this.touch();
    const progress = this.places.get(key(place));
    return progress ? (progress.failures += 1) : 1;
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.working += 1;
    try {
      return await work();
    } finally {
      this.working -= 1;
      this.touch();
    }
  }

  touch(): void {
    this.movedAt = Date.now();
  }

  clear(): void {
    this.places.clear();
    this.touch();
  }

  lag(): number {
    let lag = 0n;
    for (const { next, high } of this.places.values()) if (high > next) lag += high - next;
    return Number(lag);
  }

  caughtUp(): boolean {
    return [...this.places.values()].every(({ reachedHigh }) => reachedHigh);
  }

  /** Messages are waiting, none is being handled, and nothing has moved for so long. */
  isStuck(afterMs: number): boolean {
    return this.working === 0 && this.lag() > 0 && Date.now() - this.movedAt > afterMs;
  }
}

function key({ topic, partition }: Place): string {
  return `${topic}/${partition}`;
}
