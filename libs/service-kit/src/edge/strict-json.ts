import { ApiError } from '../errors/api-error';

export const JSON_DEPTH_MAX = 100;
const REFUSED_KEYS = new Set(['__proto__', 'constructor']);
const LONE_SURROGATE = /\p{Surrogate}/u;
const DIGITS_SAFE_MAX = 15;
/** Beyond this many characters even a number with a fraction can be past all doubles. */
const FRACTION_SAFE_MAX = 300;
const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;
const MINUS = 45;
const [BIG_I, BIG_N] = [73, 78];
const NON_FINITE = /NaN|-?Infinity/y;
const [OPEN_BRACE, CLOSE_BRACE] = [123, 125];
const [OPEN_BRACKET, CLOSE_BRACKET] = [91, 93];

export interface StrictJsonOptions {
  /** What becomes of an integer that a double cannot hold: an error, or the same digits as a string. */
  readonly bigIntegers: 'refuse' | 'as-strings';
  /**
   * What becomes of NaN, Infinity and -Infinity, which are no JSON, but are what Python writes of them: an error, or null for
   * the first and the words as strings for the others.
   */
  readonly nonFinite?: 'refuse' | 'as-null-and-strings';
}

/**
 * Reads JSON so that nothing in it is altered, lost or read in two ways: refused are text that is not UTF-8, NUL and lone
 * surrogates in strings, a key that stands twice in its object, keys that reach for prototypes, nesting beyond
 * JSON_DEPTH_MAX, and numbers that a double cannot hold.
 *
 * JSON.parse alone shows none of these. A quick survey of the text finds most bodies innocent: nothing in them needs a
 * closer look, and the parsed value has as many keys as the text has. The others are scanned token by token.
 *
 * @throws ApiError 400 naming what is wrong and where
 */
export function parseStrictJson(bytes: Buffer, options: StrictJsonOptions): unknown {
  const text = decodeUtf8(bytes);
  const survey = surveyOf(text);
  if (survey.depth > JSON_DEPTH_MAX) throw tooDeep();
  if (survey.innocent) {
    const value = parseJson(text);
    // Fewer keys than colons: one of them stands twice, and the scan says which.
    if (keyCount(value) === survey.colons) return value;
  }
  const quoted = new Scan(text, options).run();
  return parseJson(quoted.length === 0 ? text : withQuotes(text, quoted));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw ApiError.invalid(`the body is not valid JSON: ${(error as Error).message}`);
  }
}

interface Survey {
  /** Outside strings: as many as there are keys. */
  readonly colons: number;
  readonly depth: number;
  /** No escape that could hide anything, no refused key, no number that a double may not hold. */
  readonly innocent: boolean;
}

function surveyOf(text: string): Survey {
  let colons = 0;
  let level = 0;
  let depth = 0;
  let innocent = !text.includes('\\u') && ![...REFUSED_KEYS].some((key) => text.includes(`"${key}"`));
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === COLON) colons++;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth = Math.max(depth, ++level);
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) level--;
    else if (code === BIG_I || code === BIG_N) innocent = false;
    else if (isDigit(code) || code === MINUS) {
      const start = at;
      let whole = true;
      let exponent = false;
      for (let next = text.charCodeAt(at + 1); isOfNumber(next); next = text.charCodeAt(++at + 1)) {
        if (isDigit(next)) continue;
        whole = false;
        exponent ||= next === 69 || next === 101;
      }
      if (at - start >= (whole ? DIGITS_SAFE_MAX : FRACTION_SAFE_MAX)) innocent = false;
      if (exponent && !Number.isFinite(Number(text.slice(start, at + 1)))) innocent = false;
    }
  }
  return { colons, depth, innocent };
}

/** Where the string that begins here ends; the end of the text when it does not. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && isEscaped(text, start, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end;
}

/** Whether an odd number of backslashes stands before the quote. */
function isEscaped(text: string, start: number, end: number): boolean {
  let before = end - 1;
  while (before > start && text.charCodeAt(before) === BACKSLASH) before--;
  return (end - 1 - before) % 2 === 1;
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** A digit, or one of . + - E e */
const isOfNumber = (code: number): boolean =>
  isDigit(code) || code === 46 || code === 43 || code === MINUS || code === 69 || code === 101;

/** Of a value and all in it; its depth is bounded already. */
function keyCount(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += keyCount(item);
    return count;
  }
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    count += typeof item === 'object' ? 1 + keyCount(item) : 1;
  }
  return count;
}

const tooDeep = (): ApiError => ApiError.invalid(`the body is nested deeper than ${JSON_DEPTH_MAX} levels`);

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw ApiError.invalid('the body is not UTF-8');
  }
}

type Span = readonly [start: number, end: number];

/** The same text with these spans, numbers, as strings, and NaN as null. */
function withQuotes(text: string, spans: readonly Span[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const [start, end] of spans) {
    const number = text.slice(start, end);
    parts.push(text.slice(at, start), number === 'NaN' ? 'null' : `"${number}"`);
    at = end;
  }
  parts.push(text.slice(at));
  return parts.join('');
}

/** Finds what JSON.parse would let through. Whether the text is JSON at all stays for JSON.parse to say. */
class Scan {
  private at = 0;
  private readonly keys: (Set<string> | undefined)[] = [];
  private readonly quoted: Span[] = [];

  constructor(
    private readonly text: string,
    private readonly options: StrictJsonOptions,
  ) {}

  /** @returns the numbers that have to be read as something else */
  run(): Span[] {
    const { text } = this;
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at);
      if (code === QUOTE) this.string();
      else if (code === OPEN_BRACE) this.open(new Set());
      else if (code === OPEN_BRACKET) this.open(undefined);
      else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        this.keys.pop();
        this.at++;
      } else if (code === BIG_I || code === BIG_N || code === MINUS) this.nonFinite();
      else if (isDigit(code)) this.number();
      else this.at++;
    }
    return this.quoted;
  }

  private open(keys: Set<string> | undefined): void {
    this.keys.push(keys);
    if (this.keys.length > JSON_DEPTH_MAX) throw tooDeep();
    this.at++;
  }

  private string(): void {
    const start = this.at;
    const end = endOfString(this.text, start);
    this.at = end + 1;
    const raw = this.text.slice(start + 1, end);
    const value = raw.includes('\\') ? unescape(this.text.slice(start, end + 1)) : raw;
    if (value === undefined) return;
    if (value !== raw && (value.includes('\0') || LONE_SURROGATE.test(value)))
      throw ApiError.invalid(
        `a string of the body holds ${value.includes('\0') ? 'NUL' : 'a lone surrogate'} (at ${start})`,
      );
    const keys = this.keys.at(-1);
    if (keys && this.colonFollows()) this.key(keys, value);
  }

  private colonFollows(): boolean {
    let at = this.at;
    while (at < this.text.length && this.text.charCodeAt(at) <= 32) at++;
    return this.text[at] === ':';
  }

  private key(keys: Set<string>, key: string): void {
    if (REFUSED_KEYS.has(key)) throw ApiError.invalid(`the key "${key}" is not allowed in a body`);
    if (keys.has(key)) throw ApiError.invalid(`the key "${key}" stands twice in one object`);
    keys.add(key);
  }

  private nonFinite(): void {
    NON_FINITE.lastIndex = this.at;
    const [word] = NON_FINITE.exec(this.text) ?? [];
    if (word === undefined || this.options.nonFinite !== 'as-null-and-strings') return this.number();
    this.quoted.push([this.at, this.at + word.length]);
    this.at += word.length;
  }

  private number(): void {
    const start = this.at;
    let whole = true;
    for (this.at++; this.at < this.text.length && isOfNumber(this.text.charCodeAt(this.at)); this.at++)
      if (!isDigit(this.text.charCodeAt(this.at))) whole = false;
    if (this.at - start <= DIGITS_SAFE_MAX) {
      if (!whole) this.refuseInfinite(start);
      return;
    }
    if (!whole) return this.refuseInfinite(start);
    if (Number.isSafeInteger(Number(this.text.slice(start, this.at)))) return;
    if (this.options.bigIntegers === 'as-strings') this.quoted.push([start, this.at]);
    else
      throw ApiError.invalid(
        `the number ${this.text.slice(start, start + 40)} is past 2^53 and would be altered: send it as a string`,
      );
  }

  private refuseInfinite(start: number): void {
    const text = this.text.slice(start, this.at);
    if (!Number.isNaN(Number(text)) && !Number.isFinite(Number(text)))
      throw ApiError.invalid(`the number ${text.slice(0, 40)} is too large for a double`);
  }
}

function unescape(quotedText: string): string | undefined {
  try {
    return JSON.parse(quotedText) as string;
  } catch {
    return undefined;
  }
}
