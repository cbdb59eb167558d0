import { ApiError } from '../errors/api-error';

export const JSON_DEPTH_MAX = 100;
const REFUSED_KEYS = new Set(['__proto__', 'constructor']);
const LONE_SURROGATE = /\p{Surrogate}/u;
const DIGITS_SAFE_MAX = 15;
const QUOTE = 34;
const BACKSLASH = 92;

export interface StrictJsonOptions {
  /** What becomes of an integer that a double cannot hold: an error, or the same digits as a string. */
  readonly bigIntegers: 'refuse' | 'as-strings';
}

/**
 * Reads JSON so that nothing in it is altered, lost or read in two ways: refused are text that is not UTF-8, NUL and lone
 * surrogates in strings, a key that stands twice in its object, keys that reach for prototypes, nesting beyond
 * JSON_DEPTH_MAX, and numbers that a double cannot hold.
 *
 * JSON.parse alone shows none of these, so one pass over the text looks for them first.
 *
 * @throws ApiError 400 naming what is wrong and where
 */
export function parseStrictJson(bytes: Buffer, options: StrictJsonOptions): unknown {
  const text = decodeUtf8(bytes);
  const scan = new Scan(text, options);
  const quoted = scan.run();
  try {
    return JSON.parse(quoted.length === 0 ? text : withQuotes(text, quoted));
  } catch (error) {
    throw ApiError.invalid(`the body is not valid JSON: ${(error as Error).message}`);
  }
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw ApiError.invalid('the body is not UTF-8');
  }
}

type Span = readonly [start: number, end: number];

/** The same text with these spans, numbers, as strings. */
function withQuotes(text: string, spans: readonly Span[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const [start, end] of spans) {
    parts.push(text.slice(at, start), '"', text.slice(start, end), '"');
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

  /** @returns the numbers that have to be read as strings */
  run(): Span[] {
    const { text } = this;
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at);
      if (code === QUOTE) this.string();
      else if (code === 123) this.open(new Set());
      else if (code === 91) this.open(undefined);
      else if (code === 125 || code === 93) {
        this.keys.pop();
        this.at++;
      } else if ((code >= 48 && code <= 57) || code === 45) this.number();
      else this.at++;
    }
    return this.quoted;
  }

  private open(keys: Set<string> | undefined): void {
    this.keys.push(keys);
    if (this.keys.length > JSON_DEPTH_MAX)
      throw ApiError.invalid(`the body is nested deeper than ${JSON_DEPTH_MAX} levels`);
    this.at++;
  }

  private string(): void {
    const start = this.at;
    let end = this.text.indexOf('"', start + 1);
    while (end >= 0 && this.isEscaped(start, end)) end = this.text.indexOf('"', end + 1);
    if (end < 0) {
      this.at = this.text.length;
      return;
    }
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

  /** Whether an odd number of backslashes stands before the quote. */
  private isEscaped(start: number, end: number): boolean {
    let before = end - 1;
    while (before > start && this.text.charCodeAt(before) === BACKSLASH) before--;
    return (end - 1 - before) % 2 === 1;
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

  private number(): void {
    const start = this.at;
    let whole = true;
    for (this.at++; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code >= 48 && code <= 57) continue;
      // The rest of a number: . + - E e
      if (code !== 46 && code !== 43 && code !== 45 && code !== 69 && code !== 101) break;
      whole = false;
    }
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
