import { isUtf8 } from 'node:buffer';
import { attachment } from '@mledger/object-store';
import type { Entry } from '../entry/entry';

/** Stored bytes must never run as a page of ours, whatever content type their owner gave them. */
export const UNTRUSTED_BYTES_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
} as const;

/** What describes an object whatever part of it is sent. */
export function objectHeaders(path: string, entry: Entry): Record<string, string> {
  return {
    ...UNTRUSTED_BYTES_HEADERS,
    'content-type': entry.contentType,
    'content-disposition': attachment(path.slice(path.lastIndexOf('/') + 1) || 'object'),
    'accept-ranges': 'bytes',
    etag: `"${entry.checksum}"`,
    'last-modified': new Date(entry.modifiedAtSeconds * 1000).toUTCString(),
  };
}

/** What the bytes of a header say: clients in Go send UTF-8 as it is, and Node reads every header as Latin-1. */
export function textOfHeader(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : value;
}
