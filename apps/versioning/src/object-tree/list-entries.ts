import type { EntryCursor } from './tree-cursor';

export interface ListQuery {
  readonly prefix: Buffer;
  /** Exclusive; a common prefix given here leaps over all that is below it. */
  readonly after?: Buffer;
  /** Keys that have it after the prefix are given as one common prefix. Not empty. */
  readonly delimiter?: Buffer;
  /** Entries and common prefixes together. */
  readonly limit: number;
}

export type ListItem =
  | { readonly type: 'entry'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'common-prefix'; readonly key: Buffer };

/** A page of entries and common prefixes by ascending key. Leaps over what a common prefix covers instead of walking it. */
export async function listEntries(
  cursor: EntryCursor,
  { prefix, after, delimiter, limit }: ListQuery,
): Promise<{ items: ListItem[]; hasMore: boolean }> {
  const items: ListItem[] = [];
  const start = startOfList(prefix, after, delimiter);
  if (start) await cursor.seek(start);
  for (;;) {
    const entry = start && cursor.current;
    if (!entry || !startsWith(entry.key, prefix)) return { items, hasMore: false };
    if (items.length === limit) return { items, hasMore: true };
    const cut = delimiter === undefined ? -1 : entry.key.indexOf(delimiter, prefix.length);
    if (cut < 0) {
      items.push({ type: 'entry', ...entry });
      await cursor.advance();
      continue;
    }
    const key = entry.key.subarray(0, cut + delimiter!.length);
    items.push({ type: 'common-prefix', key });
    const past = firstKeyPast(key);
    if (!past) return { items, hasMore: false };
    await cursor.seek(past);
  }
}

export function startsWith(key: Buffer, prefix: Buffer): boolean {
  return key.length >= prefix.length && key.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;
}

/** The least key above all that begin with the prefix; undefined when there is none. */
export function firstKeyPast(prefix: Buffer): Buffer | undefined {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length -= 1;
  if (length === 0) return undefined;
  const past = Buffer.from(prefix.subarray(0, length));
  past[length - 1]! += 1;
  return past;
}

function startOfList(prefix: Buffer, after: Buffer | undefined, delimiter: Buffer | undefined): Buffer | undefined {
  if (!after || after.compare(prefix) < 0) return prefix;
  const isCommonPrefix =
    delimiter !== undefined &&
    startsWith(after, prefix) &&
    after.indexOf(delimiter, prefix.length) === after.length - delimiter.length &&
    after.length >= prefix.length + delimiter.length;
  if (isCommonPrefix) return firstKeyPast(after);
  // The least key above `after`.
  return Buffer.concat([after, Buffer.of(0)]);
}
