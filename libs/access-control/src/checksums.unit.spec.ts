import fc from 'fast-check';
import { newChecksum, type ChecksumName } from './checksums';

const digest = (name: ChecksumName, ...pieces: Buffer[]) => {
  const checksum = newChecksum(name);
  for (const piece of pieces) checksum.update(piece);
  return checksum.digest();
};

/** Of "123456789": the check values of the catalogue of parametrised CRC algorithms. */
const CHECK: readonly [ChecksumName, string][] = [
  ['crc32', 'cbf43926'],
  ['crc32c', 'e3069283'],
  ['crc64nvme', 'ae8b14860a799888'],
];

describe('checksums', () => {
  it.each(CHECK)('%s of the check text', (name, hex) => {
    expect(Buffer.from(digest(name, Buffer.from('123456789')), 'base64').toString('hex')).toBe(hex);
  });

  it.each(CHECK)('%s is the same however the bytes are cut', (name) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
        const whole = Buffer.from(bytes);
        expect(digest(name, whole.subarray(0, cut), whole.subarray(cut))).toBe(digest(name, whole));
        // A byte at a time takes the other path through the tables.
        expect(digest(name, ...[...bytes].map((byte) => Buffer.from([byte])))).toBe(digest(name, whole));
      }),
    );
  });
});
