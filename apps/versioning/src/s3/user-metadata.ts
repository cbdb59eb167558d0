import type { IncomingHttpHeaders } from 'node:http';
import { textOfHeader } from '../objects/object-headers';
import { s3Error } from './s3-errors';

const HEADER_PREFIX = 'x-amz-meta-';
/** How lakeFS keeps them, so that both of its APIs show the same. */
const KEY_PREFIX = 'X-Amz-Meta-';
const METADATA_BYTES_MAX = 2 * 1024;

/** User metadata of an upload. @throws MetadataTooLarge */
export function metadataOf(headers: IncomingHttpHeaders): Record<string, string> {
  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(HEADER_PREFIX) || header === HEADER_PREFIX) continue;
    const text = decodeWords(textOfHeader(String(value)));
    const name = header.slice(HEADER_PREFIX.length);
    bytes += Buffer.byteLength(name) + Buffer.byteLength(text);
    metadata[`${KEY_PREFIX}${name}`] = text;
  }
  if (bytes > METADATA_BYTES_MAX) {
    throw s3Error(400, 'MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size');
  }
  return metadata;
}

/** Metadata as headers of an answer; keys that came by the other API and are no header names are only counted. */
export function metadataHeaders(metadata: Readonly<Record<string, string>>): Record<string, string> {
  const headers: Record<string, string> = {};
  let missing = 0;
  for (const [key, value] of Object.entries(metadata)) {
    if (!key.toLowerCase().startsWith(HEADER_PREFIX)) continue;
    const name = key.slice(KEY_PREFIX.length).toLowerCase();
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name)) headers[`${HEADER_PREFIX}${name}`] = encodeWord(value);
    else missing += 1;
  }
  if (missing > 0) headers['x-amz-missing-meta'] = String(missing);
  return headers;
}

/** RFC 2047 encoded words of UTF-8, as S3's clients write what is not ASCII. */
function decodeWords(text: string): string {
  return text.replace(/=\?utf-8\?([bq])\?([^?\s]*)\?=/gi, (word, encoding: string, content: string) => {
    if (encoding.toLowerCase() === 'b') return Buffer.from(content, 'base64').toString('utf8');
    const percented = content.replaceAll('%', '%25').replaceAll('_', ' ').replaceAll('=', '%');
    try {
      return decodeURIComponent(percented);
    } catch {
      return word;
    }
  });
}

function encodeWord(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;
}
