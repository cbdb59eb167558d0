import { CommandRefused } from '@mledger/event-log';

/** One token of a filter or an order-by clause. */
export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly at: number }
  | { readonly kind: 'number'; readonly text: string; readonly at: number }
  /** 'single' and "double" are a value, or a key after a dot; `back` is always a key. */
  | { readonly kind: 'quoted'; readonly quote: "'" | '"' | '`'; readonly text: string; readonly at: number }
  | { readonly kind: 'symbol'; readonly text: string; readonly at: number };

const WORD_START = /[\p{L}_]/u;
const WORD = /[\p{L}\p{N}_.\-/@#$]/u;
const SYMBOLS = ['>=', '<=', '!=', '>', '<', '=', '(', ')', ',', '.'] as const;

/** Why a text is no filter, order or page token; the message names the place. */
export class FilterFault extends CommandRefused {
  constructor(message: string) {
    super({ kind: 'invalid', code: 'SEARCH_INVALID', message });
  }
}

/**
 * Splits a text into tokens in one pass over its characters: no regular expression sees more than one of them, so
 * the time is linear in the length whatever the text (a filter of 1 MB is refused before, by its length).
 *
 * @throws FilterFault for a character that begins no token, and for a quote that is never closed.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text.charAt(at);
    if (isSpace(character)) {
      at++;
      continue;
    }
    const token = readToken(text, at, character);
    tokens.push(token.token);
    at = token.end;
  }
  return tokens;
}

interface Read {
  readonly token: Token;
  readonly end: number;
}

function readToken(text: string, at: number, character: string): Read {
  if (character === "'" || character === '"' || character === '`') return readQuoted(text, at, character);
  if (startsNumber(text, at)) return readNumber(text, at);
  const symbol = SYMBOLS.find((candidate) => text.startsWith(candidate, at));
  if (symbol) return { token: { kind: 'symbol', text: symbol, at }, end: at + symbol.length };
  if (WORD_START.test(codePointAt(text, at))) return readWord(text, at);
  throw new FilterFault(`unexpected '${codePointAt(text, at)}' at position ${at}`);
}

/** A quote stands for itself inside its own kind of quotes when it is doubled, as in SQL. */
function readQuoted(text: string, start: number, quote: "'" | '"' | '`'): Read {
  const pieces: string[] = [];
  let from = start + 1;
  for (;;) {
    const close = text.indexOf(quote, from);
    if (close < 0) throw new FilterFault(`the ${quote} at position ${start} is never closed`);
    pieces.push(text.slice(from, close));
    if (text.charAt(close + 1) !== quote) {
      return { token: { kind: 'quoted', quote, text: pieces.join(quote), at: start }, end: close + 1 };
    }
    from = close + 2;
  }
}

function readWord(text: string, start: number): Read {
  let end = start;
  while (end < text.length && WORD.test(codePointAt(text, end))) end += codePointAt(text, end).length;
  return { token: { kind: 'word', text: text.slice(start, end), at: start }, end };
}

function startsNumber(text: string, at: number): boolean {
  const afterSign = text.charAt(at) === '-' || text.charAt(at) === '+' ? at + 1 : at;
  const afterDot = text.charAt(afterSign) === '.' ? afterSign + 1 : afterSign;
  return isDigit(text.charAt(afterDot));
}

/** `-1`, `0.5`, `.5`, `1e-3`; what follows without a space, as in `1x`, belongs to it and is no number then. */
function readNumber(text: string, start: number): Read {
  let end = start + 1;
  while (end < text.length && continuesNumber(text, end)) end++;
  return { token: { kind: 'number', text: text.slice(start, end), at: start }, end };
}

function continuesNumber(text: string, at: number): boolean {
  const character = text.charAt(at);
  if (character === '-' || character === '+') return /[eE]/.test(text.charAt(at - 1));
  return WORD.test(codePointAt(text, at));
}

function codePointAt(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at) ?? 0);
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\n' || character === '\r';
}
