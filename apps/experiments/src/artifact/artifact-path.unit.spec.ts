import fc from 'fast-check';
import { addressOf, ARTIFACT_PATH_BYTES_MAX, safePath, safeTargetPath } from './artifact-path';

describe('an artifact path', () => {
  it.each(['MLmodel', 'plots/roc.png', 'a b/ü.txt', '100%.txt', '50%25.txt', 'a..b/c...d', 'x;y=1/z', '.hidden'])(
    'may be %s',
    (path) => {
      expect(safePath(path)).toBe(path);
    },
  );

  it.each([
    '../../etc/passwd',
    'a/../../b',
    'a/..',
    './a',
    'a//b',
    'a/',
    '/etc/passwd',
    '//host/share',
    'C:/windows',
    'c:\\windows',
    '..\\..\\a',
    'a\\b',
    '%2E%2E%2Fa',
    '%252E%252E%252Fa',
    '%25252E%25252E%25252Fa',
    'a%2f..%2fb',
    'a/%5c..%5cb',
    'a;..%2Fb',
    'a/;../b',
    'a#b',
    'a?b',
    'a%23b',
    'a\0b',
    'a%00b',
    'a\nb',
    '\ud800',
    '',
    'x'.repeat(ARTIFACT_PATH_BYTES_MAX + 1),
    '%252525252541',
  ])('may not be %j', (path) => {
    expect(() => safePath(path)).toThrow('Invalid path');
  });

  it('is decoded once from a target, and judged at every level below', () => {
    expect(safeTargetPath('a%20b/100%25.txt')).toBe('a b/100%.txt');
    expect(() => safeTargetPath('%2e%2e/%2e%2e/etc/passwd')).toThrow('it goes up');
    expect(() => safeTargetPath('%252e%252e%252fetc')).toThrow('it goes up');
    expect(() => safeTargetPath('%zz')).toThrow('not percent-encoded');
  });

  it('that is let through never leaves its root, however often it is unescaped', () => {
    const piece = fc.constantFrom(
      '..',
      '.',
      '/',
      '%2e',
      '%2E%2e',
      '%2f',
      '%5C',
      '%25',
      '25',
      '2e',
      'a',
      ';',
      '\\',
      'C:',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        let path = pieces.join('');
        try {
          safePath(path);
        } catch {
          return;
        }
        for (let times = 0; times < 10; times++) {
          // `./`, or a colon in its first segment would make it a scheme (RFC 3986 §4.2).
          expect(new URL(`./${path}`, 'file:///root/below/').pathname).toMatch(/^\/root\/below\//);
          // As the most lenient reader does it: each escape for itself.
          path = path.replace(/%([0-9a-f]{2})/gi, (_escape, hex: string) => String.fromCharCode(parseInt(hex, 16)));
        }
      }),
      { examples: [[['a', 'C:']], [['%25', '/', '%25', '2e', '%25', '2e', '/', '%25', '2e', '%25', '2e']]] },
    );
  });
});

describe('an artifact address', () => {
  const run = '0197a2c4e1b87f3a9c5d6e7f80912a3b';
  it.each([
    [`7/${run}/artifacts/plots/roc.png`, { experimentId: '7', ownerKind: 'run', ownerId: run, path: 'plots/roc.png' }],
    [`7/${run}/artifacts`, { experimentId: '7', ownerKind: 'run', ownerId: run, path: '' }],
    [
      `7/models/m-${run}/artifacts/MLmodel`,
      { experimentId: '7', ownerKind: 'logged-model', ownerId: `m-${run}`, path: 'MLmodel' },
    ],
    [`7/models/artifacts/x`, undefined],
    [`7/models/m-1/artifacts/x`, undefined],
    [`7/${run}/other/x`, undefined],
    ['7', undefined],
  ])('%s', (path, address) => {
    expect(addressOf(path)).toEqual(address);
  });
});
