import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { inParts } from './s3-parts';

const PART_BYTES = 100_000;

/** What is in each part while it is being sent, that is until the part after the next is asked for. */
async function partsOf(
  bytes: Buffer,
  chunkBytes: number,
): Promise<{ sizes: number[]; lasts: boolean[]; whole: Buffer }> {
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) =>
    bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
  const sizes: number[] = [];
  const lasts: boolean[] = [];
  const sent: Buffer[] = [];
  let sending: Buffer | undefined;
  for await (const { bytes: part, isLast } of inParts(Readable.from(chunks), PART_BYTES)) {
    if (sending) sent.push(Buffer.from(sending));
    sending = part;
    sizes.push(part.length);
    lasts.push(isLast);
  }
  return { sizes, lasts, whole: Buffer.concat([...sent, sending!]) };
}

describe('a body in parts', () => {
  it.each([
    ['empty', 0, [0]],
    ['small', 3, [3]],
    ['larger than the first buffer', 70_000, [70_000]],
    ['one part to the byte', PART_BYTES, [PART_BYTES]],
    ['one part and a byte', PART_BYTES + 1, [PART_BYTES, 1]],
    ['three parts to the byte', 3 * PART_BYTES, [PART_BYTES, PART_BYTES, PART_BYTES]],
    ['three parts and some', 3 * PART_BYTES + 17, [PART_BYTES, PART_BYTES, PART_BYTES, 17]],
  ])('%s', async (_what, size, expected) => {
    const bytes = randomBytes(size);
    for (const chunkBytes of [1_000, 65_536, 99_999, 1_000_000]) {
      const { sizes, lasts, whole } = await partsOf(bytes, chunkBytes);
      expect(sizes).toEqual(expected);
      expect(lasts).toEqual(expected.map((_size, index) => index === expected.length - 1));
      expect(whole.equals(bytes)).toBe(true);
    }
  });
});
