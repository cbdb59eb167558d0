/**
 * Commands of this process on one stream take turns: together, all but one of them would decide for nothing, and begin again
 * from a stream that is no longer remembered. Who else writes to it, in other processes, is held off by versions alone.
 */
export class StreamTurns {
  private readonly last = new Map<string, Promise<void>>();

  /** Works when all that came before on any of the streams is done, well or not. */
  async take<T>(streams: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = streams.flatMap((stream) => this.last.get(stream) ?? []);
    const result = Promise.all(before).then(work);
    const done = result.then(
      () => undefined,
      () => undefined,
    );
    for (const stream of streams) this.last.set(stream, done);
    try {
      return await result;
    } finally {
      for (const stream of streams) if (this.last.get(stream) === done) this.last.delete(stream);
    }
  }
}
