import { CommandRefused } from './decider';

/** Deeper data is no fact about the world; a bound keeps the recursion here and in Postgres' parser finite. */
export const JSON_DEPTH_MAX = 64;

const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The RFC 8785 text of a value: keys sorted by UTF-16 code units, numbers and escapes as ECMAScript writes them. What
 * is hashed and what is stored is this one text. Properties that are `undefined` are left out, as JSON.stringify does.
 *
 * @throws CommandRefused `invalid` for NUL, lone surrogates, non-finite numbers, too deep nesting, and what JSON lacks.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

/** Throws unless Postgres can store the text and every JSON reader agrees on it. */
export function assertStorableText(text: string): void {
  if (text.includes('\0')) throw notStorable('the NUL character');
  if (LONE_SURROGATE.test(text)) throw notStorable('a lone surrogate (ill-formed Unicode)');
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      if (!Number.isFinite(value)) throw notStorable(`the number ${value}: write it as a string`);
      return `${value}`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth >= JSON_DEPTH_MAX) throw notStorable(`more than ${JSON_DEPTH_MAX} levels of nesting`);
      if (Array.isArray(value)) return writeArray(value, depth + 1);
      if ('toJSON' in value && typeof value.toJSON === 'function')
        throw notStorable(`a ${value.constructor.name}: write it as a string or a number`);
      return writeObject(value as Record<string, unknown>, depth + 1);
    default:
      throw notStorable(`a ${typeof value}`);
  }
}

function writeArray(values: readonly unknown[], depth: number): string {
  let text = '[';
  for (let index = 0; index < values.length; index += 1) {
    if (index > 0) text += ',';
    text += write(values[index], depth);
  }
  return text + ']';
}

function writeObject(object: Record<string, unknown>, depth: number): string {
  let text = '{';
  for (const key of sortedKeys(object)) {
    const value = object[key];
    if (value === undefined) continue;
    if (text.length > 1) text += ',';
    text += `${quote(key)}:${write(value, depth)}`;
  }
  return text + '}';
}

/** Array.sort costs more than all else here for the few keys that most objects have. */
const INSERTION_SORT_KEYS_MAX = 32;

function sortedKeys(object: object): string[] {
  const keys = Object.keys(object);
  if (keys.length > INSERTION_SORT_KEYS_MAX) return keys.sort();
  for (let index = 1; index < keys.length; index += 1) {
    const key = keys[index]!;
    let place = index;
    for (; place > 0 && keys[place - 1]! > key; place -= 1) keys[place] = keys[place - 1]!;
    keys[place] = key;
  }
  return keys;
}

function quote(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  assertStorableText(text);
  return JSON.stringify(text);
}

function notStorable(what: string): CommandRefused {
  return new CommandRefused({
    kind: 'invalid',
    code: 'NOT_STORABLE',
    message: `the event log cannot store ${what}`,
  });
}
