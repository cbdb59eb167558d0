import { PRESIGNED_PATH, presignUrl, verifyPresigned } from './presign';

const SECRET = Buffer.alloc(32, 7);
const NOW_MS = Date.UTC(2026, 0, 1);
const terms = { key: 'acme/v/r/00/x', method: 'GET', expiresInSeconds: 60, fileName: 'a b.csv' } as const;

describe('a signed URL', () => {
  const target = presignUrl(SECRET, terms, NOW_MS);

  it('grants what it was made for', () => {
    expect(target.startsWith(`${PRESIGNED_PATH}acme/v/r/00/x?`)).toBe(true);
    const expected = { key: terms.key, method: 'GET', fileName: 'a b.csv', contentType: undefined };
    expect(verifyPresigned(SECRET, { method: 'GET', target }, NOW_MS)).toEqual(expected);
    expect(verifyPresigned(SECRET, { method: 'HEAD', target }, NOW_MS)).toEqual(expected);
  });

  it('grants nothing after its time, to another method, or under another secret', () => {
    expect(verifyPresigned(SECRET, { method: 'GET', target }, NOW_MS + 60_000)).toBeUndefined();
    expect(verifyPresigned(SECRET, { method: 'PUT', target }, NOW_MS)).toBeUndefined();
    expect(verifyPresigned(Buffer.alloc(32, 8), { method: 'GET', target }, NOW_MS)).toBeUndefined();
  });

  it('grants nothing when any character of it is another', () => {
    for (let at = 0; at < target.length; at += 1) {
      const changed = `${target.slice(0, at)}${target[at] === 'a' ? 'b' : 'a'}${target.slice(at + 1)}`;
      expect(verifyPresigned(SECRET, { method: 'GET', target: changed }, NOW_MS)).toBeUndefined();
    }
    expect(verifyPresigned(SECRET, { method: 'GET', target: `${target}&key=x` }, NOW_MS)).toBeUndefined();
    expect(verifyPresigned(SECRET, { method: 'GET', target: PRESIGNED_PATH }, NOW_MS)).toBeUndefined();
  });

  it.each([0, -1, Number.NaN, 8 * 24 * 3600])('is not made for %p seconds', (expiresInSeconds) => {
    expect(() => presignUrl(SECRET, { ...terms, expiresInSeconds }, NOW_MS)).toThrow(RangeError);
  });
});
