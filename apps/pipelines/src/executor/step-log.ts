import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import type { StoredLog } from '@mledger/contracts';
import type { ObjectStore } from '@mledger/object-store';

/** What a step may write before the middle of its log is left out; its end is kept, where the reason of a failure stands. */
export const LOG_HEAD_BYTES_MAX = 8 * 1024 * 1024;
export const LOG_TAIL_BYTES_MAX = 1024 * 1024;

/** What a step's process prints: in a file while it runs, in the object store afterwards. */
export class StepLog {
  private readonly file: WriteStream;
  private headBytes = 0;
  private leftOutBytes = 0;
  private tail: Buffer[] = [];
  private tailBytes = 0;
  private isCutOff = false;

  constructor(readonly path: string) {
    this.file = createWriteStream(path);
    // A full disk must not take the service along; the stored log is then as long as the disk allowed.
    this.file.on('error', () => (this.isCutOff = true));
  }

  write(chunk: Buffer): void {
    const room = LOG_HEAD_BYTES_MAX - this.headBytes;
    if (room > 0) {
      const head = chunk.subarray(0, room);
      this.headBytes += head.length;
      this.file.write(head);
    }
    if (chunk.length > room) this.keepTail(chunk.subarray(Math.max(0, room)));
  }

  /** Nothing more is printed. */
  async close(): Promise<void> {
    if (this.leftOutBytes > 0) this.file.write(`\n... ${this.leftOutBytes} bytes left out ...\n`);
    for (const chunk of this.tail) this.file.write(chunk);
    this.file.end();
    await finished(this.file).catch(() => undefined);
  }

  /** Stores the log for good, once it is closed; where that fails it may be tried again. @returns null when nothing was printed */
  async store(objects: ObjectStore, objectKey: string): Promise<StoredLog | null> {
    const sizeBytesWritten = await stat(this.path).then(
      ({ size }) => size,
      () => 0,
    );
    if (sizeBytesWritten === 0) return null;
    const { sizeBytes, sha256 } = await objects.put(objectKey, createReadStream(this.path), {
      contentType: 'text/plain',
    });
    return { objectKey, sizeBytes, sha256, truncated: this.leftOutBytes > 0 || this.isCutOff };
  }

  private keepTail(chunk: Buffer): void {
    this.tail.push(Buffer.from(chunk));
    this.tailBytes += chunk.length;
    while (this.tailBytes - this.tail[0]!.length >= LOG_TAIL_BYTES_MAX) {
      const dropped = this.tail.shift()!;
      this.tailBytes -= dropped.length;
      this.leftOutBytes += dropped.length;
    }
  }
}
