import { characterCount, keyFault, truncateCharacters } from './names';

describe('keys', () => {
  it.each(['a', 'val/loss', 'mlflow.user', 'a b', 'a:b-c_d', 'précision', '精度', '0', '.hidden', 'x'.repeat(250)])(
    'takes %s',
    (key) => {
      expect(keyFault(key)).toBeUndefined();
    },
  );

  it.each([
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    '..a',
    './a',
    'a/../b',
    'a\n',
    'a"b',
    'a\\b',
    'a#b',
    'x'.repeat(251),
  ])('refuses %j', (key) => {
    expect(keyFault(key)).toBeDefined();
  });
});

describe('characters', () => {
  it('are code points', () => {
    expect(characterCount('a\u{1F680}b')).toBe(3);
    expect(characterCount('\u{1F680}')).toBe(1);
    expect(truncateCharacters('a\u{1F680}b', 2)).toBe('a\u{1F680}');
    expect(truncateCharacters('ab', 2)).toBe('ab');
  });
});
