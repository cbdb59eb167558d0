import * as fc from 'fast-check';
import { ApiError } from '@mledger/service-kit';
import { FILTER_CHARACTERS_MAX, parseFilter } from './filter';
import { MODEL_SEARCH, VERSION_SEARCH } from './search-request';

const parse = (filter: string) => parseFilter(filter, VERSION_SEARCH.grammar);

describe('a filter', () => {
  it.each([
    ['', []],
    ["name = 'a'", [{ on: 'attribute', key: 'name', comparator: '=', value: 'a' }]],
    ['attribute.name != "it\'s"', [{ on: 'attribute', key: 'name', comparator: '!=', value: "it's" }]],
    ["name = 'it''s'", [{ on: 'attribute', key: 'name', comparator: '=', value: "it's" }]],
    ['version_number >= 3', [{ on: 'attribute', key: 'version_number', comparator: '>=', value: 3 }]],
    ["tags.mlflow.user ilike 'a%'", [{ on: 'tag', key: 'mlflow.user', comparator: 'ILIKE', value: 'a%' }]],
    ["tag.`a key` = ''", [{ on: 'tag', key: 'a key', comparator: '=', value: '' }]],
    ["run_id in ('a', 'b')", [{ on: 'attribute', key: 'run_id', comparator: 'IN', value: ['a', 'b'] }]],
    [
      "name = 'a' and tags.k = 'v'",
      [
        { on: 'attribute', key: 'name', comparator: '=', value: 'a' },
        { on: 'tag', key: 'k', comparator: '=', value: 'v' },
      ],
    ],
  ])('%s is understood', (filter, expected) => expect(parse(filter)).toEqual(expected));

  it.each([
    "name = 'a' OR name = 'b'",
    "name = 'a'; drop table models",
    "name = 'a' AND",
    'name',
    'name =',
    'name = a',
    "'name' = 'a'",
    "nothing = 'a'",
    "params.x = 'a'",
    "constructor = 'a'",
    "name > 'a'",
    'version_number = 1.5',
    "version_number = 'one'",
    "version_number LIKE '1'",
    "source_path IN ('a')",
    'run_id IN ()',
    "run_id IN ('a'",
    "name = 'a",
    `name LIKE '${'%'.repeat(11)}'`,
    `name = '${'x'.repeat(FILTER_CHARACTERS_MAX)}'`,
    Array.from({ length: 101 }, () => "name = 'a'").join(' AND '),
  ])('no. %# is refused', (filter) => expect(() => parse(filter)).toThrow(ApiError));

  it('of models knows no versions', () => {
    expect(() => parseFilter('version_number = 1', MODEL_SEARCH.grammar)).toThrow('Valid keys are name');
  });

  it('is understood or refused, whatever the text, and never throws anything else', () => {
    const piece = fc.constantFrom(
      'name',
      'tags.',
      '`',
      "'",
      '"',
      '=',
      'LIKE',
      ' ',
      'AND',
      '(',
      ')',
      ',',
      '1',
      '%',
      '\\\\',
      'é',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 40 }), (pieces) => {
        try {
          parse(pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
    );
  });
});
