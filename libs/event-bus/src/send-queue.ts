import { type BusMessage, MessageTooLarge } from './event-bus';

/**
 * What is stored in one go. Kafka's `max.message.bytes` bounds the record batch of a partition and not the single
 * message, so many small ones together must stay well under it; a larger message travels alone.
 */
const SEND_BYTES_MAX = 1024 * 1024;

interface Entry {
  readonly messages: readonly BusMessage[];
  readonly sizes: readonly number[];
  readonly bytes: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** Sends one batch at a time, in the order of the calls; what is called for meanwhile goes together into the next. */
export class SendQueue {
  private readonly entries: Entry[] = [];
  private draining: Promise<void> | undefined;

  constructor(private readonly send: (messages: readonly BusMessage[]) => Promise<void>) {}

  push(messages: readonly BusMessage[]): Promise<void> {
    if (messages.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const sizes = messages.map(messageBytes);
      this.entries.push({ messages, sizes, bytes: sizes.reduce((sum, size) => sum + size, 0), resolve, reject });
      this.draining ??= this.drain();
    });
  }

  /** Returns when everything pushed so far was sent or refused. */
  async idle(): Promise<void> {
    await this.draining;
  }

  private async drain(): Promise<void> {
    while (this.entries.length > 0) {
      const together = this.takeTogether();
      try {
        await this.sendInChunks(together);
        for (const entry of together) entry.resolve();
      } catch (error) {
        // One caller's message that is too large must not fail its neighbours'.
        if (error instanceof MessageTooLarge && together.length > 1) await this.sendEach(together);
        else for (const entry of together) entry.reject(error);
      }
    }
    // In the same step as the last look at the entries: a caller that goes on now has to start anew.
    this.draining = undefined;
  }

  private takeTogether(): Entry[] {
    const together = [this.entries.shift()!];
    let bytes = together[0]!.bytes;
    while (this.entries.length > 0 && bytes + this.entries[0]!.bytes <= SEND_BYTES_MAX) {
      bytes += this.entries[0]!.bytes;
      together.push(this.entries.shift()!);
    }
    return together;
  }

  private async sendEach(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) await this.sendInChunks([entry]).then(entry.resolve, entry.reject);
  }

  private async sendInChunks(entries: readonly Entry[]): Promise<void> {
    let chunk: BusMessage[] = [];
    let bytes = 0;
    for (const { messages, sizes } of entries) {
      for (const [index, message] of messages.entries()) {
        if (chunk.length > 0 && bytes + sizes[index]! > SEND_BYTES_MAX) {
          await this.send(chunk);
          chunk = [];
          bytes = 0;
        }
        chunk.push(message);
        bytes += sizes[index]!;
      }
    }
    await this.send(chunk);
  }
}

/** What a message takes on the wire, less a few bytes of framing. */
export function messageBytes({ key, headers, value }: BusMessage): number {
  let bytes = Buffer.byteLength(key) + value.length;
  for (const name in headers) bytes += name.length + Buffer.byteLength(headers[name]!) + 4;
  return bytes;
}
