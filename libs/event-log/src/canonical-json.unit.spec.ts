import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalJson, JSON_DEPTH_MAX } from './canonical-json';
import { CommandRefused } from './decider';

const wellFormed = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
const storable = fc.jsonValue({ depthSize: 'medium', stringUnit: 'grapheme' }).filter((value) => {
  const text = JSON.stringify(value);
  return !/\\u0000/.test(text);
});

describe('canonicalJson', () => {
  it('writes what RFC 8785 says, as another implementation of it does', () => {
    fc.assert(fc.property(storable, (value) => canonicalJson(value) === canonicalize(value)));
  });

  it('loses nothing and depends on no order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(wellFormed, fc.oneof(fc.integer(), wellFormed)), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(object));
        expect(JSON.parse(canonicalJson(object))).toEqual({ ...object });
      }),
    );
  });

  it.each([
    [{ b: 1, a: { d: undefined, c: -0 } }, '{"a":{"c":0},"b":1}'],
    [[1e21, 1e-7, 0.1, 100], '[1e+21,1e-7,0.1,100]'],
    [{ '10': 1, '9': 2, '\u20ac': 3, $: 4 }, '{"$":4,"10":1,"9":2,"€":3}'],
    [{ toJSON: 'a key like any other' }, '{"toJSON":"a key like any other"}'],
    ['\u0007"\\\u2028', '"\\u0007\\"\\\\\u2028"'],
  ])('writes %j', (value, text) => expect(canonicalJson(value)).toBe(text));

  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  it.each<[string, unknown]>([
    ['NUL', { a: ['x\0y'] }],
    ['NUL in a key', { '\0': 1 }],
    ['a lone surrogate', 'a\udc00'],
    ['NaN', { value: NaN }],
    ['Infinity', -Infinity],
    ['a date', { at: new Date(0) }],
    ['a bigint', { n: 1n }],
    ['a function', { f: () => 1 }],
    ['too many levels', nested(JSON_DEPTH_MAX + 1)],
  ])('refuses %s', (_what, value) => {
    expect(() => canonicalJson(value)).toThrow(CommandRefused);
  });

  it('takes as many levels as it says', () => {
    expect(canonicalJson(nested(JSON_DEPTH_MAX))).toBe('['.repeat(JSON_DEPTH_MAX) + '1' + ']'.repeat(JSON_DEPTH_MAX));
  });
});
