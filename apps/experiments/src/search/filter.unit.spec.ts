import fc from 'fast-check';
import { FILTER_CHARACTERS_MAX, parseFilter, parseOrderBy, type Comparison } from './filter';
import { FilterFault } from './filter-lexer';
import { EXPERIMENT_GRAMMAR, LOGGED_MODEL_GRAMMAR, RUN_GRAMMAR } from './grammars';

const parse = (text: string) => parseFilter(text, RUN_GRAMMAR);
const literal = (value: string | number) =>
  typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;

describe('the filter language', () => {
  it.each([
    ['metrics.auc > 0.75', 'metric', 'auc', { kind: 'number', comparator: '>', value: 0.75 }],
    ['metric.auc>=-1e-3', 'metric', 'auc', { kind: 'number', comparator: '>=', value: -0.001 }],
    ['metrics.`val loss` != .5', 'metric', 'val loss', { kind: 'number', comparator: '!=', value: 0.5 }],
    ["metrics.'val loss' = 1", 'metric', 'val loss', { kind: 'number', comparator: '=', value: 1 }],
    ['params."a.b" = \'x\'', 'param', 'a.b', { kind: 'text', comparator: '=', value: 'x' }],
    ['`param`.depth = "6"', 'param', 'depth', { kind: 'text', comparator: '=', value: '6' }],
    ["params.x LIKE '%a_'", 'param', 'x', { kind: 'text', comparator: 'LIKE', value: '%a_' }],
    [
      "tags.mlflow.source.name ilike 'T%'",
      'tag',
      'mlflow.source.name',
      { kind: 'text', comparator: 'ILIKE', value: 'T%' },
    ],
    ['tags.größe IS NOT NULL', 'tag', 'größe', { kind: 'presence', comparator: 'IS NOT NULL' }],
    ['params.a-b/c is null', 'param', 'a-b/c', { kind: 'presence', comparator: 'IS NULL' }],
    ["name_is_text.x = 'y'", undefined, '', undefined],
    ["run_id IN ('a','b')", 'attribute', 'run_id', { kind: 'list', comparator: 'IN', values: ['a', 'b'] }],
    ["attributes.run_id NOT IN ('a',)", 'attribute', 'run_id', { kind: 'list', comparator: 'NOT IN', values: ['a'] }],
    ["attr.`Run name` = 'it''s'", 'attribute', 'name', { kind: 'text', comparator: '=', value: "it's" }],
    ['Created <= 1763941200123', 'attribute', 'start_time', { kind: 'number', comparator: '<=', value: 1763941200123 }],
    ["datasets.context = 'training'", 'dataset', 'context', { kind: 'text', comparator: '=', value: 'training' }],
  ])('%s', (text, entity, key, condition) => {
    if (!entity) return expect(() => parse(text)).toThrow(FilterFault);
    return expect(parse(text)).toEqual([{ field: { entity, key }, condition }]);
  });

  it('joins comparisons by AND, in any case and spacing', () => {
    expect(parse("metrics.a<1 and\n params.b='AND' AND tags.c IS NULL")).toHaveLength(3);
    expect(parse('   ')).toEqual([]);
    expect(parseFilter(undefined, RUN_GRAMMAR)).toEqual([]);
  });

  it.each([
    ['metrics.a > 1 OR metrics.b > 1', 'only comparisons joined by AND'],
    ['(metrics.a > 1)', 'expected a field'],
    ["metrics.a > '1'", 'expected a number'],
    ['metrics.a > 1x', 'expected a number'],
    ["metrics.a LIKE 'x'", 'expected one of'],
    ['params.a = 1', 'expected a quoted value'],
    ['params.a = b', 'expected a quoted value'],
    ["params.a > 'b'", 'expected one of'],
    ["params.a IN ('b')", 'IN is not understood'],
    ["status IN ('FINISHED')", 'IN is not understood'],
    ['run_id IN ()', 'expected a quoted value'],
    ["run_id IN ('a'", 'expected , or )'],
    ['start_time IS NULL', 'expected one of'],
    ['status IS NULL', 'only understood for tags and params'],
    ["attributes.nope = 'x'", "Invalid attribute key 'nope'"],
    ["dataset.nope = 'x'", "Invalid dataset key 'nope'"],
    ["nope.x = 'y'", "Invalid entity type 'nope'"],
    ["params.a = 'b", 'never closed'],
    ["params.a = 'b' AND", 'at the end'],
    ["params.a = 'b'; DROP TABLE runs", "unexpected ';'"],
    ['metrics.a', 'expected one of'],
    ['metrics. = 1', 'expected a key'],
  ])('refuses %s', (text, message) => {
    expect(() => parse(text)).toThrow(FilterFault);
    expect(() => parse(text)).toThrow(message);
  });

  it('refuses a filter that is too long or has too many comparisons before it does any work on it', () => {
    expect(() => parse(`params.a = '${'x'.repeat(FILTER_CHARACTERS_MAX)}'`)).toThrow('characters, more than');
    expect(() => parse(Array(101).fill('metrics.a > 1').join(' AND '))).toThrow('more than 100 comparisons');
  });

  it('answers any text with comparisons or with a fault that names a reason, never with another error', () => {
    const noise = fc.array(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom("'", '"', '`', '.', 'metrics.', 'params.a', ' = ', ' AND ', 'IN (', '1e', '-'),
      ),
    );
    fc.assert(
      fc.property(noise, (pieces) => {
        try {
          parse(pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(FilterFault);
          expect((error as Error).message).not.toBe('');
        }
      }),
    );
  });

  it('reads back whatever keys and values are written into it', () => {
    const key = fc.string({ minLength: 1, unit: 'grapheme' });
    const value = fc.string({ unit: 'grapheme' });
    // String(-0) is '0'.
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0);
    const comparison = fc.oneof(
      fc.record({ entity: fc.constantFrom('param' as const, 'tag' as const), key, value }),
      fc.record({
        entity: fc.constant('metric' as const),
        key,
        value: finite,
      }),
    );
    fc.assert(
      fc.property(fc.array(comparison, { minLength: 1, maxLength: 5 }), (comparisons) => {
        const text = comparisons
          .map((item) => `${item.entity}s.\`${item.key.replaceAll('`', '``')}\` = ${literal(item.value)}`)
          .join(' AND ');
        const expected = comparisons.map(({ entity, key: name, value: operand }): Comparison => {
          const condition =
            typeof operand === 'number'
              ? ({ kind: 'number', comparator: '=', value: operand } as const)
              : ({ kind: 'text', comparator: '=', value: operand } as const);
          return { field: { entity, key: name }, condition };
        });
        expect(parse(text)).toEqual(expected);
      }),
    );
  });
});

describe('the grammars', () => {
  it('ask of experiments what they have', () => {
    expect(
      parseFilter("name LIKE 'late%' AND tags.team = 'ops' AND creation_time > 5", EXPERIMENT_GRAMMAR),
    ).toHaveLength(3);
    expect(() => parseFilter('metrics.a > 1', EXPERIMENT_GRAMMAR)).toThrow('Invalid entity type');
  });

  it('ask of logged models what they have, by each of the names that clients use', () => {
    const filter =
      "attributes.creation_timestamp > 1 AND last_updated_timestamp_ms < 9 AND status IN ('READY') AND metrics.auc > 0.5";
    expect(parseFilter(filter, LOGGED_MODEL_GRAMMAR).map(({ field }) => field.key)).toEqual([
      'creation_time',
      'last_update_time',
      'status',
      'auc',
    ]);
  });
});

describe('order by', () => {
  it.each([
    ['start_time DESC', 'attribute', 'start_time', false],
    ['attributes.start_time', 'attribute', 'start_time', true],
    ['metrics.`val loss` asc', 'metric', 'val loss', true],
    ['params."x y" desc', 'param', 'x y', false],
    ['tags.mlflow.user ASC', 'tag', 'mlflow.user', true],
  ])('%s', (text, entity, key, ascending) => {
    expect(parseOrderBy(text, RUN_GRAMMAR)).toEqual({ field: { entity, key }, ascending });
  });

  it.each(['', 'metrics.a SIDEWAYS', 'metrics.a DESC, metrics.b', 'dataset.name', 'nope'])('refuses "%s"', (text) => {
    expect(() => parseOrderBy(text, RUN_GRAMMAR)).toThrow(FilterFault);
  });
});
