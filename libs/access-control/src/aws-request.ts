import { badRequest } from './access-refused';

/** A request as it came over the wire: what signatures are made of. */
export interface WireRequest {
  readonly method: string;
  /** Path and query, raw, as on the request line. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** How the body of an AWS-signed request is protected. */
export type PayloadMode =
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'sha256'; readonly hex: string }
  | { readonly kind: 'chunked'; readonly signed: boolean; readonly trailer: boolean };

/** What is left to check of an AWS-signed request once its head is verified. */
export interface AwsSignature {
  readonly version: 2 | 4;
  readonly payload: PayloadMode;
  /** The chain that signed chunks continue; V4 headers only. */
  readonly seed?: {
    readonly signature: string;
    readonly signingKey: Buffer;
    readonly timestamp: string;
    readonly scope: string;
  };
}

export interface RawParameter {
  readonly name: string;
  readonly value: string;
}

export const SKEW_MS_MAX = 15 * 60 * 1000;

export function header(request: WireRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

export function splitTarget(target: string): { path: string; query: string } {
  const at = target.indexOf('?');
  return at < 0 ? { path: target, query: '' } : { path: target.slice(0, at), query: target.slice(at + 1) };
}

/** The query's parameters in order, decoded; a `+` is a space, as form encoding has it. */
export function queryParameters(query: string): RawParameter[] {
  if (query === '') return [];
  return query.split('&').map((part) => {
    const at = part.indexOf('=');
    const [name, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
    return { name: decode(name.replaceAll('+', ' ')), value: decode(value.replaceAll('+', ' ')) };
  });
}

/** Percent-encodes everything but RFC 3986's unreserved characters, in upper case, as AWS signatures want it. */
export function awsEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** @throws AccessRefused when the text is not percent-encoded UTF-8 */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest('INVALID_URI', 'the request target is not percent-encoded UTF-8', 'InvalidURI');
  }
}

/** Milliseconds of `20261123T101112Z`; undefined when it is not such a time. */
export function parseAmzDate(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}
