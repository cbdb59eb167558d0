/** What a `Range` header asks of an object: a part, the whole (no header, or one that may be ignored), or what cannot be given. */
export type RequestedRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly offset: number; readonly length: number }
  | { readonly kind: 'unsatisfiable' }
  | { readonly kind: 'several' }
  | { readonly kind: 'malformed' };

/** Reads one `bytes=a-b`, `bytes=a-` or `bytes=-n` (RFC 9110 §14) against an object's size. */
export function requestedRange(header: string | undefined, sizeBytes: number): RequestedRange {
  if (header === undefined) return { kind: 'whole' };
  if (/^bytes=[^,]*,/.test(header)) return { kind: 'several' };
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim());
  const [, first = '', last = ''] = match ?? [];
  if (!match || (first === '' && last === '')) return { kind: 'malformed' };
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', offset: sizeBytes - length, length };
  }
  const offset = Number(first);
  const end = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== '' && Number(last) < offset) return { kind: 'malformed' };
  return offset >= sizeBytes ? { kind: 'unsatisfiable' } : { kind: 'part', offset, length: end - offset };
}
