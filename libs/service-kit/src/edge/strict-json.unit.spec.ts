import fc from 'fast-check';
import { JSON_DEPTH_MAX, parseStrictJson } from './strict-json';

const read = (text: string, bigIntegers: 'refuse' | 'as-strings' = 'refuse') =>
  parseStrictJson(Buffer.from(text), { bigIntegers });

describe('strict JSON', () => {
  it('reads what JSON.parse reads, whenever nothing would be altered', () => {
    // Values as JSON.parse gives them back: -0 becomes 0 in text, and one key is not for bodies.
    const value = fc.jsonValue().filter((json) => !/"(__proto__|constructor)":/.test(JSON.stringify(json)));
    fc.assert(
      fc.property(value, fc.constantFrom(0, 1, 4), (json, indent) => {
        const text = JSON.stringify(json, null, indent);
        const wellFormed = !/\\ud[89a-f]/i.test(text) && !text.includes('\\u0000');
        const whole = !/(?<![\d.eE"])-?\d{16,}(?![\d.eE"])/.test(text);
        if (wellFormed && whole) expect(read(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['"a\\\\"', 'a\\'],
    ['{"a\\"b":"}"}', { 'a"b': '}' }],
    ['{"a":"[[[{","b":[1,-2.5e3]}', { a: '[[[{', b: [1, -2500] }],
    ['[9007199254740991,-9007199254740991,0.1234567890123456789,1e20]', [9007199254740991, -9007199254740991, 0.1234567890123456789, 1e20]], // prettier-ignore
    ['"\\ud83d\\ude00"', '😀'],
    ['{"a":{"x":1},"b":{"x":2}}', { a: { x: 1 }, b: { x: 2 } }],
    ['{"k":["k","k"]}', { k: ['k', 'k'] }],
    [`${'['.repeat(JSON_DEPTH_MAX)}${']'.repeat(JSON_DEPTH_MAX)}`, expect.anything()],
  ])('reads %s', (text, value) => {
    expect(read(text)).toEqual(value);
  });

  it('reads what Python writes of numbers that JSON has not, where that is asked for', () => {
    const options = { bigIntegers: 'refuse', nonFinite: 'as-null-and-strings' } as const;
    const readPython = (text: string) => parseStrictJson(Buffer.from(text), options);
    expect(readPython('{"NaN":[NaN, Infinity,-Infinity,-1,"NaN Infinity"]}')).toEqual({
      NaN: [null, 'Infinity', '-Infinity', -1, 'NaN Infinity'],
    });
    for (const text of ['[-NaN]', '[Inf]', '[1NaN]', '[NaN1]', '{NaN:1}'])
      expect(() => readPython(text)).toThrow(/not valid JSON/);
  });

  it.each([
    ['{"a":1,"a":1}', /"a" stands twice/],
    ['{"a":1,"\\u0061":1}', /"a" stands twice/],
    ['{"x":{"a":1 , "a" :2}}', /twice/],
    ['{"__proto__":1}', /not allowed/],
    ['{"a":{"constructor" : 1}}', /not allowed/],
    ['[9007199254740992]', /past 2\^53/],
    ['[-99999999999999999999]', /past 2\^53/],
    ['[1e309]', /too large/],
    [`[${'9'.repeat(400)}.5]`, /too large/],
    ['"\\u0000"', /NUL/],
    ['"\\ud800"', /lone surrogate/],
    ['"\\ude00\\ud83d"', /lone surrogate/],
    [`${'['.repeat(JSON_DEPTH_MAX + 1)}`, /deeper than/],
    [`${'{"a":'.repeat(JSON_DEPTH_MAX + 1)}`, /deeper than/],
    ['{"a"', /not valid JSON/],
    ['"a', /not valid JSON/],
    ['{a:1}', /not valid JSON/],
    ['[1,]', /not valid JSON/],
    ['"\t"', /not valid JSON/],
    ['"\\x"', /not valid JSON/],
    ['--1', /not valid JSON/],
    ['NaN', /not valid JSON/],
    ['[-Infinity]', /not valid JSON/],
  ])('refuses %s', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it('keeps large integers as strings where the protocol does', () => {
    const text = '{"a":9223372036854775807,"b":[-9223372036854775808, 1],"c":18446744073709551615}';
    expect(read(text, 'as-strings')).toEqual({
      a: '9223372036854775807',
      b: ['-9223372036854775808', 1],
      c: '18446744073709551615',
    });
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseStrictJson(Buffer.from([0x22, 0xc0, 0x80, 0x22]), { bigIntegers: 'refuse' })).toThrow(/UTF-8/);
  });

  it('does not slow down on what looks like a trap', () => {
    // Each would take minutes if any of it were quadratic.
    for (const text of [
      `"${'\\\\'.repeat(2e6)}"`,
      `[${'"",'.repeat(1e6)}""]`,
      `{"a":"${'"'.repeat(0)}${' '.repeat(4e6)}"}`,
    ])
      expect(read(text)).toBeDefined();
  });
});
