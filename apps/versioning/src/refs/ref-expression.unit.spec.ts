import { parseRef } from './ref-expression';

describe('a ref expression', () => {
  it.each([
    ['main', 'main', []],
    ['main~', 'main', [{ type: 'ancestor', count: 1 }]],
    ['main~12', 'main', [{ type: 'ancestor', count: 12 }]],
    [
      'main~~2',
      'main',
      [
        { type: 'ancestor', count: 1 },
        { type: 'ancestor', count: 2 },
      ],
    ],
    ['main^', 'main', [{ type: 'parent', number: 1 }]],
    ['main^0', 'main', [{ type: 'parent', number: 0 }]],
    [
      'main^2~3',
      'main',
      [
        { type: 'parent', number: 2 },
        { type: 'ancestor', count: 3 },
      ],
    ],
    ['main@', 'main', [{ type: 'committed' }]],
    ['main$', 'main', [{ type: 'staged' }]],
    ['v1.0', 'v1.0', []],
  ])('%s', (text, base, modifiers) => {
    expect(parseRef(text)).toEqual({ base, modifiers });
  });

  it.each([
    '',
    '~',
    '^1',
    '@',
    '$',
    'main@1',
    'main$2',
    'main~x',
    'main@~',
    'main~$',
    'main$$',
    'main^-1',
    'a'.repeat(1025),
    'a~9999999',
  ])('is not %p', (text) => {
    expect(() => parseRef(text)).toThrow('invalid ref');
  });
});
