import * as fc from 'fast-check';
import { decodeEntry, encodeEntry, newObjectId, objectIdOf, physicalAddress, sameEntry, type Entry } from './entry';

const text = fc.string({ unit: 'binary', maxLength: 40 });
const entry: fc.Arbitrary<Entry> = fc.record({
  objectId: fc.nat().map((seed) => newObjectId(seed)),
  modifiedAtSeconds: fc.nat(),
  sizeBytes: fc.maxSafeNat().map((size) => size % 2 ** 48),
  checksum: text,
  contentType: text,
  metadata: fc.dictionary(text, text, { noNullPrototype: false }),
});

describe('an entry', () => {
  it('is read as it was written', () => {
    fc.assert(fc.property(entry, (written) => expect({ ...decodeEntry(encodeEntry(written)) }).toEqual(written)));
  });

  it('counts as unchanged wherever its bytes lie and whenever they came, and for nothing else', () => {
    fc.assert(
      fc.property(entry, entry, (one, other) => {
        const moved = { ...one, objectId: other.objectId, modifiedAtSeconds: other.modifiedAtSeconds };
        expect(sameEntry(encodeEntry(one), encodeEntry(moved))).toBe(true);
        const { objectId: _, modifiedAtSeconds: __, ...content } = one;
        const { objectId: ___, modifiedAtSeconds: ____, ...otherContent } = other;
        const isSame = JSON.stringify(sorted(content)) === JSON.stringify(sorted(otherContent));
        expect(sameEntry(encodeEntry(one), encodeEntry(other))).toBe(isSame);
      }),
    );
  });

  it('has a bound', () => {
    const metadata = { k: 'v'.repeat(65_000), l: 'v'.repeat(600) };
    const large = {
      objectId: newObjectId(0),
      modifiedAtSeconds: 0,
      sizeBytes: 0,
      checksum: '',
      contentType: '',
      metadata,
    };
    expect(() => encodeEntry(large)).toThrow(RangeError);
  });
});

function sorted(content: Omit<Entry, 'objectId' | 'modifiedAtSeconds'>) {
  return { ...content, metadata: Object.entries(content.metadata).sort(([l], [r]) => (l < r ? -1 : 1)) };
}

describe('a physical address', () => {
  it('is of the form that lakeFS clients expect, and leads back to its object', () => {
    const objectId = newObjectId(Date.UTC(2026, 0, 1));
    const address = physicalAddress('s3://bucket/with/path', objectId);
    expect(address).toMatch(/^s3:\/\/bucket\/with\/path\/data\/[0-9a-v]{20}\/[0-9a-v]{20}$/);
    expect(objectIdOf('s3://bucket/with/path', address)).toBe(objectId);
  });

  it('puts the newest first', () => {
    const times = [0, 1_000, 60_000, Date.UTC(2026, 0, 1), Date.UTC(2100, 0, 1)];
    const ids = times.map((time) => newObjectId(time));
    expect([...ids].sort()).toEqual([...ids].reverse());
  });

  it('leads nowhere but within its own namespace', () => {
    const objectId = newObjectId(0);
    const address = physicalAddress('local://a', objectId);
    for (const other of [
      physicalAddress('local://b', objectId),
      address.replace('/data/', '/data/../data/'),
      `${address}x`,
      address.slice(0, -1),
      address.toUpperCase(),
      `local://a/data/${'0'.repeat(19)}/${'0'.repeat(21)}`,
      `local://a/data/${'.'.repeat(20)}/${'0'.repeat(20)}`,
      'local://a/data/x',
      '',
    ]) {
      expect(objectIdOf('local://a', other)).toBeUndefined();
    }
  });
});
