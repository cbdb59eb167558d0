import { FilterFault, tokenize, type Token } from './filter-lexer';

/** A filter of a client is short; one beyond this is an attack, or belongs into several requests. */
export const FILTER_CHARACTERS_MAX = 100_000;
export const FILTER_COMPARISONS_MAX = 100;

export type Entity = 'attribute' | 'metric' | 'param' | 'tag' | 'dataset';

export interface Field {
  readonly entity: Entity;
  /** For an attribute the name of its column, for the others the key that the user chose. */
  readonly key: string;
}

const NUMBER_COMPARATORS = ['=', '!=', '>', '>=', '<', '<='] as const;
const TEXT_COMPARATORS = ['=', '!=', 'LIKE', 'ILIKE'] as const;
export type NumberComparator = (typeof NUMBER_COMPARATORS)[number];
export type TextComparator = (typeof TEXT_COMPARATORS)[number];

export type Condition =
  | { readonly kind: 'number'; readonly comparator: NumberComparator; readonly value: number }
  | { readonly kind: 'text'; readonly comparator: TextComparator; readonly value: string }
  | { readonly kind: 'list'; readonly comparator: 'IN' | 'NOT IN'; readonly values: readonly string[] }
  | { readonly kind: 'presence'; readonly comparator: 'IS NULL' | 'IS NOT NULL' };

export interface Comparison {
  readonly field: Field;
  readonly condition: Condition;
}

export interface OrderBy {
  readonly field: Field;
  readonly ascending: boolean;
}

export interface AttributeRule {
  readonly column: string;
  readonly kind: 'number' | 'text';
  /** Whether IN and NOT IN may be asked of it. */
  readonly lists?: boolean;
}

/** What may be asked of one kind of thing: runs, experiments, logged models. */
export interface Grammar {
  readonly entities: readonly Entity[];
  readonly attributes: ReadonlyMap<string, AttributeRule>;
  /** Dataset keys, where datasets may be asked for. */
  readonly datasetKeys?: readonly string[];
  /** Whether IN and NOT IN may be asked of params and tags too. */
  readonly listsOfPairs?: boolean;
}

const ENTITY_NAMES = new Map<string, Entity>([
  ...entityNames('attribute', ['attribute', 'attributes', 'attr', 'run']),
  ...entityNames('metric', ['metric', 'metrics']),
  ...entityNames('param', ['param', 'params', 'parameter', 'parameters']),
  ...entityNames('tag', ['tag', 'tags']),
  ...entityNames('dataset', ['dataset', 'datasets']),
]);

function entityNames(entity: Entity, names: readonly string[]): [string, Entity][] {
  return names.map((name) => [name, entity]);
}

/**
 * Reads MLflow's filter language: comparisons joined by AND, nothing else.
 *
 * @throws FilterFault, whose message says what is wrong and where.
 */
export function parseFilter(text: string | undefined, grammar: Grammar): Comparison[] {
  if (!text || text.trim() === '') return [];
  if (text.length > FILTER_CHARACTERS_MAX) {
    throw new FilterFault(`the filter has ${text.length} characters, more than ${FILTER_CHARACTERS_MAX}`);
  }
  const reader = new TokenReader(tokenize(text));
  const comparisons = [readComparison(reader, grammar)];
  while (!reader.atEnd()) {
    if (!reader.takeWord('AND')) throw reader.fault('expected AND: only comparisons joined by AND are understood');
    comparisons.push(readComparison(reader, grammar));
    if (comparisons.length > FILTER_COMPARISONS_MAX) {
      throw new FilterFault(`more than ${FILTER_COMPARISONS_MAX} comparisons`);
    }
  }
  return comparisons;
}

/** Reads one order-by clause, as in ``metrics.`val loss` DESC``. @throws FilterFault */
export function parseOrderBy(text: string, grammar: Grammar): OrderBy {
  if (text.length > FILTER_CHARACTERS_MAX) throw new FilterFault('the order_by clause is too long');
  const reader = new TokenReader(tokenize(text));
  const field = readField(reader, grammar);
  if (field.entity === 'dataset') throw new FilterFault('datasets cannot be ordered by');
  const descending = reader.takeWord('DESC');
  if (!descending) reader.takeWord('ASC');
  if (!reader.atEnd()) throw reader.fault('expected ASC, DESC or the end');
  return { field, ascending: !descending };
}

class TokenReader {
  private next = 0;
  constructor(private readonly tokens: readonly Token[]) {}

  atEnd(): boolean {
    return this.next >= this.tokens.length;
  }

  peek(): Token | undefined {
    return this.tokens[this.next];
  }

  take(expected: string): Token {
    const token = this.tokens[this.next];
    if (!token) throw new FilterFault(`expected ${expected} at the end`);
    this.next++;
    return token;
  }

  takeWord(word: string): boolean {
    const token = this.peek();
    if (token?.kind !== 'word' || token.text.toUpperCase() !== word) return false;
    this.next++;
    return true;
  }

  takeSymbol(symbol: string): boolean {
    const token = this.peek();
    if (token?.kind !== 'symbol' || token.text !== symbol) return false;
    this.next++;
    return true;
  }

  fault(expectation: string): FilterFault {
    const token = this.peek();
    return new FilterFault(
      token ? `${expectation}, not '${token.text}' at position ${token.at}` : `${expectation}, at the end`,
    );
  }
}

function readComparison(reader: TokenReader, grammar: Grammar): Comparison {
  const field = readField(reader, grammar);
  const rule = field.entity === 'attribute' ? attributeByColumn(grammar, field.key) : undefined;
  const isNumber = field.entity === 'metric' || rule?.kind === 'number';
  const condition = isNumber ? readNumberCondition(reader) : readTextCondition(reader);
  const takesLists = field.entity === 'dataset' || (rule ? rule.lists : grammar.listsOfPairs);
  if (condition.kind === 'list' && !takesLists) {
    throw new FilterFault(`IN is not understood for ${field.entity} '${field.key}'`);
  }
  if (condition.kind === 'presence' && field.entity !== 'param' && field.entity !== 'tag') {
    throw new FilterFault(`IS NULL and IS NOT NULL are only understood for tags and params, not for '${field.key}'`);
  }
  return { field, condition };
}

function attributeByColumn(grammar: Grammar, column: string): AttributeRule | undefined {
  return [...grammar.attributes.values()].find((rule) => rule.column === column);
}

function readField(reader: TokenReader, grammar: Grammar): Field {
  const first = reader.take('a field such as metrics.accuracy');
  if (first.kind === 'quoted' && first.quote !== "'") {
    if (!reader.takeSymbol('.')) return fieldOf('attribute', first.text, grammar);
    return fieldOf(first.text, readKey(reader), grammar);
  }
  if (first.kind !== 'word') throw new FilterFault(`expected a field, not '${first.text}' at position ${first.at}`);
  const dot = first.text.indexOf('.');
  if (dot < 0) return fieldOf('attribute', first.text, grammar);
  const [entity, key] = [first.text.slice(0, dot), first.text.slice(dot + 1)];
  return fieldOf(entity, key === '' ? readKey(reader) : key, grammar);
}

function readKey(reader: TokenReader): string {
  const key = reader.take('a key');
  if (key.kind === 'word' || key.kind === 'quoted') return key.text;
  throw new FilterFault(`expected a key, not '${key.text}' at position ${key.at}`);
}

function fieldOf(entityName: string, key: string, grammar: Grammar): Field {
  const entity = ENTITY_NAMES.get(entityName);
  if (!entity || !grammar.entities.includes(entity)) {
    throw new FilterFault(`Invalid entity type '${entityName}'. Valid values are ${grammar.entities.join(', ')}`);
  }
  if (entity === 'attribute') {
    const rule = grammar.attributes.get(key);
    if (rule) return { entity, key: rule.column };
    throw new FilterFault(
      `Invalid attribute key '${key}'. Valid keys are ${[...grammar.attributes.keys()].join(', ')}`,
    );
  }
  if (entity === 'dataset' && !grammar.datasetKeys?.includes(key)) {
    throw new FilterFault(`Invalid dataset key '${key}'. Valid keys are ${grammar.datasetKeys?.join(', ')}`);
  }
  return { entity, key };
}

function readNumberCondition(reader: TokenReader): Condition {
  const comparator = NUMBER_COMPARATORS.find((symbol) => reader.takeSymbol(symbol));
  if (!comparator) throw reader.fault(`expected one of ${NUMBER_COMPARATORS.join(' ')}`);
  const token = reader.take('a number');
  const value = token.kind === 'number' ? Number(token.text) : NaN;
  if (!Number.isFinite(value)) throw new FilterFault(`expected a number, not '${token.text}' at position ${token.at}`);
  return { kind: 'number', comparator, value };
}

function readTextCondition(reader: TokenReader): Condition {
  if (reader.takeWord('IS')) {
    const comparator = reader.takeWord('NOT') ? 'IS NOT NULL' : 'IS NULL';
    if (!reader.takeWord('NULL')) throw reader.fault('expected NULL');
    return { kind: 'presence', comparator };
  }
  if (reader.takeWord('NOT')) {
    if (!reader.takeWord('IN')) throw reader.fault('expected IN');
    return { kind: 'list', comparator: 'NOT IN', values: readList(reader) };
  }
  if (reader.takeWord('IN')) return { kind: 'list', comparator: 'IN', values: readList(reader) };
  const comparator = TEXT_COMPARATORS.find((name) => reader.takeSymbol(name) || reader.takeWord(name));
  if (!comparator) throw reader.fault(`expected one of ${TEXT_COMPARATORS.join(' ')}`);
  return { kind: 'text', comparator, value: readText(reader) };
}

function readText(reader: TokenReader): string {
  const token = reader.take('a quoted value');
  if (token.kind === 'quoted' && token.quote !== '`') return token.text;
  throw new FilterFault(`expected a quoted value (such as 'my-value'), not ${token.text} at position ${token.at}`);
}

function readList(reader: TokenReader): string[] {
  if (!reader.takeSymbol('(')) throw reader.fault('expected (');
  const values = [readText(reader)];
  // Python writes a tuple of one as ('a',), and clients build lists from tuples.
  while (reader.takeSymbol(',') && !isClosing(reader)) values.push(readText(reader));
  if (!reader.takeSymbol(')')) throw reader.fault('expected , or )');
  return values;
}

function isClosing(reader: TokenReader): boolean {
  const token = reader.peek();
  return token?.kind === 'symbol' && token.text === ')';
}
