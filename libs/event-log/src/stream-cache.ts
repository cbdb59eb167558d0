import type { Decider } from './decider';
import type { NewEvent } from './event';

const STREAMS_MAX = 2_000;

export interface CachedState {
  readonly version: number;
  readonly state: unknown;
}

type AnyDecider = Decider<unknown, unknown, NewEvent>;

/**
 * The latest folded states, so that a busy stream is not read from its beginning for each command. An entry is a start, never an
 * answer: events after its version are read under the stream's lock. Holds committed states only.
 */
export class StreamCache {
  private readonly entries = new Map<string, CachedState & { decider: AnyDecider }>();

  get(decider: AnyDecider, stream: string): CachedState | undefined {
    const entry = this.entries.get(stream);
    if (entry?.decider !== decider) return undefined;
    // The map's order is the order of last use.
    this.entries.delete(stream);
    this.entries.set(stream, entry);
    return entry;
  }

  set(decider: AnyDecider, stream: string, cached: CachedState): void {
    const present = this.entries.get(stream);
    if (present?.decider === decider && present.version > cached.version) return;
    this.entries.delete(stream);
    this.entries.set(stream, { ...cached, decider });
    if (this.entries.size > STREAMS_MAX) this.entries.delete(this.entries.keys().next().value!);
  }

  delete(stream: string): void {
    this.entries.delete(stream);
  }
}
