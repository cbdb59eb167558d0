import { ApiError } from '@mledger/service-kit';

export type Comparator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE' | 'ILIKE' | 'IN' | 'NOT IN';

/** One comparison of MLflow's filter language; comparisons are joined by AND alone. */
export interface Comparison {
  readonly on: 'attribute' | 'tag';
  readonly key: string;
  readonly comparator: Comparator;
  readonly value: string | number | readonly string[];
}

/** What may be asked of each attribute; tags take the comparators of text. */
export type FilterGrammar = Readonly<Record<string, readonly Comparator[]>>;

export const TEXT_COMPARATORS: readonly Comparator[] = ['=', '!=', 'LIKE', 'ILIKE'];
export const LIST_COMPARATORS: readonly Comparator[] = [...TEXT_COMPARATORS, 'IN', 'NOT IN'];
export const NUMBER_COMPARATORS: readonly Comparator[] = ['=', '!=', '<', '<=', '>', '>='];

export const FILTER_CHARACTERS_MAX = 65_536;
const COMPARISONS_MAX = 100;
const WILDCARDS_MAX = 10;

type Token = { readonly kind: 'word' | 'text' | 'quoted-name' | 'number' | 'sign'; readonly text: string };

/** Each alternative begins with a character of its own, so the time is linear in the text. */
const TOKEN =
  /\s+|(?<text>'(?:[^']|'')*'|"(?:[^"]|"")*")|(?<name>`[^`]*`)|(?<number>-?\d+(?:\.\d+)?)(?![\w])|(?<sign><=|>=|!=|<>|==|[=<>(),.])|(?<word>[\p{L}_][\p{L}\p{N}_-]*)/uy;

/**
 * Parses a filter of registered models or versions.
 *
 * @throws ApiError invalid, naming the clause, for everything outside the grammar.
 */
export function parseFilter(filter: string, grammar: FilterGrammar): Comparison[] {
  if (filter.length > FILTER_CHARACTERS_MAX) {
    throw ApiError.invalid(`The filter has ${filter.length} characters; at most ${FILTER_CHARACTERS_MAX} are read`);
  }
  const tokens = tokenize(filter);
  const comparisons: Comparison[] = [];
  while (tokens.left() > 0) {
    if (comparisons.length > 0) tokens.expectWord('AND');
    comparisons.push(parseComparison(tokens, grammar));
    if (comparisons.length > COMPARISONS_MAX) {
      throw ApiError.invalid(`A filter has at most ${COMPARISONS_MAX} comparisons`);
    }
  }
  return comparisons;
}

function parseComparison(tokens: TokenReader, grammar: FilterGrammar): Comparison {
  const { on, key } = parseIdentifier(tokens, grammar);
  const comparator = parseComparator(tokens);
  const allowed = on === 'tag' ? TEXT_COMPARATORS : (grammar[key] ?? []);
  if (!allowed.includes(comparator)) {
    throw ApiError.invalid(`Invalid comparator for ${on} ${key}: ${comparator}. Valid are ${allowed.join(', ')}`);
  }
  const value = parseValue(tokens, { key, comparator, numeric: on === 'attribute' && allowed === NUMBER_COMPARATORS });
  return { on, key, comparator, value };
}

function parseIdentifier(tokens: TokenReader, grammar: FilterGrammar): Pick<Comparison, 'on' | 'key'> {
  const first = tokens.next('an attribute or a tag');
  if (first.kind === 'text' || first.kind === 'number' || first.kind === 'sign') throw clause(first.text);
  if (!tokens.takeSign('.')) return { on: 'attribute', key: attributeKey(unquoted(first), grammar) };
  const entity = first.text;
  if (!['attribute', 'attributes', 'tag', 'tags'].includes(entity)) {
    throw ApiError.invalid(`Invalid entity type '${entity}'. Valid entity types are attribute, tag, tags`);
  }
  let key = unquoted(tokens.next('a key'));
  // An unquoted key may hold dots itself: tags.mlflow.user
  while (tokens.takeSign('.')) key += `.${unquoted(tokens.next('a key'))}`;
  return entity.startsWith('tag') ? { on: 'tag', key } : { on: 'attribute', key: attributeKey(key, grammar) };
}

function attributeKey(key: string, grammar: FilterGrammar): string {
  if (Object.hasOwn(grammar, key)) return key;
  throw ApiError.invalid(`Invalid attribute key '${key}' specified. Valid keys are ${Object.keys(grammar).join(', ')}`);
}

function parseComparator(tokens: TokenReader): Comparator {
  const token = tokens.next('a comparator');
  const text = token.text.toUpperCase();
  if (token.kind === 'sign' && (NUMBER_COMPARATORS as readonly string[]).includes(text)) return text as Comparator;
  if (token.kind === 'word' && (text === 'LIKE' || text === 'ILIKE' || text === 'IN')) return text;
  if (token.kind === 'word' && text === 'NOT') {
    tokens.expectWord('IN');
    return 'NOT IN';
  }
  throw clause(token.text);
}

function parseValue(
  tokens: TokenReader,
  { key, comparator, numeric }: { key: string; comparator: Comparator; numeric: boolean },
): Comparison['value'] {
  if (comparator === 'IN' || comparator === 'NOT IN') return parseList(tokens, key);
  const token = tokens.next('a value');
  if (numeric) {
    const digits = token.kind === 'text' ? unquoted(token) : token.text;
    if (!/^-?\d{1,15}$/.test(digits)) {
      throw ApiError.invalid(`Invalid value for numeric attribute '${key}': ${token.text}`);
    }
    return Number(digits);
  }
  if (token.kind !== 'text') {
    throw ApiError.invalid(`Expected a quoted string value for ${key} (e.g. 'my-value'). Got value ${token.text}`);
  }
  const value = unquoted(token);
  if (comparator.endsWith('LIKE') && value.split('%').length > WILDCARDS_MAX + 1) {
    throw ApiError.invalid(`A pattern has at most ${WILDCARDS_MAX} wildcards (%)`);
  }
  return value;
}

function parseList(tokens: TokenReader, key: string): string[] {
  const values: string[] = [];
  if (!tokens.takeSign('(')) throw ApiError.invalid(`Expected a list in parentheses after IN for ${key}`);
  do {
    const token = tokens.next('a value');
    if (token.kind !== 'text') throw ApiError.invalid(`Expected quoted string values in the list for ${key}`);
    values.push(unquoted(token));
  } while (tokens.takeSign(','));
  if (!tokens.takeSign(')')) throw ApiError.invalid(`Expected ) at the end of the list for ${key}`);
  return values;
}

interface TokenReader {
  left(): number;
  next(expected: string): Token;
  takeSign(sign: string): boolean;
  expectWord(word: string): void;
}

function tokenize(filter: string): TokenReader {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < filter.length) {
    const from = pattern.lastIndex;
    const groups = pattern.exec(filter)?.groups;
    if (groups === undefined) throw clause(filter.slice(from, from + 40));
    const { text, name, number, sign, word } = groups;
    if (text !== undefined) tokens.push({ kind: 'text', text });
    else if (name !== undefined) tokens.push({ kind: 'quoted-name', text: name });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign === '<>' ? '!=' : sign === '==' ? '=' : sign });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
  }
  let at = 0;
  return {
    left: () => tokens.length - at,
    next: (expected) => {
      const token = tokens[at];
      if (token === undefined) throw ApiError.invalid(`The filter ends where ${expected} should stand`);
      at += 1;
      return token;
    },
    takeSign: (sign) => {
      const token = tokens[at];
      if (token?.kind !== 'sign' || token.text !== sign) return false;
      at += 1;
      return true;
    },
    expectWord: (word) => {
      const token = tokens[at];
      if (token?.kind !== 'word' || token.text.toUpperCase() !== word) throw clause(token?.text ?? '');
      at += 1;
    },
  };
}

function unquoted(token: Token): string {
  if (token.kind === 'quoted-name') return token.text.slice(1, -1);
  if (token.kind !== 'text') return token.text;
  const quote = token.text.charAt(0);
  return token.text.slice(1, -1).replaceAll(quote + quote, quote);
}

function clause(text: string): ApiError {
  return ApiError.invalid(`Invalid clause(s) in filter string: ${text}`);
}
