import { matchesGlob } from './glob';
import { assertBranchName, assertPath, assertRepositoryName, assertTagName } from './names';

describe('names', () => {
  it.each(['abc', '0-9', 'a'.repeat(63)])('of repositories may be %p', (name) => assertRepositoryName(name));
  it.each(['main', '_', 'A-b_9', 'tx-0199f1c2', 'a'.repeat(255)])('of branches may be %p', (name) =>
    assertBranchName(name),
  );
  it.each(['v1.0', 'a~b', 'é', '-', 'a@b', 'a'.repeat(255)])('of tags may be %p', (name) => assertTagName(name));
  it.each(['a', '../x', '/', ' ', 'a\\b', '\u0001', '😀', 'a'.repeat(1024)])('of objects may be %p', (name) =>
    assertPath(name),
  );
  it.each(['', 'a\0', '\ud800', '\udc00a', 'é'.repeat(513)])('of objects may not be %p', (name) => {
    expect(() => assertPath(name)).toThrow('invalid path');
  });
});

describe('a glob', () => {
  it.each([
    ['main', 'main', true],
    ['main', 'maine', false],
    ['*', '', true],
    ['*', 'anything', true],
    ['rel-*', 'rel-1.0', true],
    ['rel-*', 'rel', false],
    ['*-x-*', 'a-x-x-b', true],
    ['?ain', 'main', true],
    ['?', '', false],
    ['a.c', 'abc', false],
    ['**b', 'aab', true],
  ])('%s matches %s: %p', (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });

  it('takes no longer for a pattern that would make others back up without end', () => {
    expect(matchesGlob(`${'a*'.repeat(120)}b`, 'a'.repeat(255))).toBe(false);
  });
});
