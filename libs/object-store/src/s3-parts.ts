import type { Readable } from 'node:stream';

/** One part of a body. Its bytes are good until the part after the next is asked for. */
export interface Part {
  readonly bytes: Buffer;
  readonly isLast: boolean;
}

const FIRST_BYTES = 64 * 1024;

/**
 * A body in parts of `partBytes`, of which only the last is shorter; an empty body is one empty part. Two buffers take turns, one
 * filled while the other is sent: new ones for each part are garbage of some MiB each, of which V8 lets 64 MiB come together.
 */
export async function* inParts(body: Readable, partBytes: number): AsyncGenerator<Part, void, void> {
  // Most bodies are small, so the first buffer grows with what comes.
  let filling: Buffer = Buffer.allocUnsafe(Math.min(FIRST_BYTES, partBytes));
  let spare: Buffer | undefined;
  let used = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    for (let read = 0; read < chunk.length;) {
      if (used === partBytes) {
        yield { bytes: filling, isLast: false };
        [filling, spare] = [spare ?? Buffer.allocUnsafe(partBytes), filling];
        used = 0;
      }
      if (used === filling.length) filling = grown(filling, partBytes);
      const copied = chunk.copy(filling, used, read);
      used += copied;
      read += copied;
    }
  }
  yield { bytes: filling.subarray(0, used), isLast: true };
}

function grown(buffer: Buffer, bytesMax: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.min(buffer.length * 2, bytesMax));
  buffer.copy(larger);
  return larger;
}
