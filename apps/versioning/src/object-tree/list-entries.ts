import type { EntryCursor } from './tree-cursor';

export interface ListQuery extends Gathering {
  /** Exclusive; a common prefix given here leaps over all that is below it. */
  readonly after?: Buffer;
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
  const start = startAfter(after, { prefix, delimiter });
  if (start) await cursor.seek(start);
  for (;;) {
    const entry = start && cursor.current;
    if (!entry || !startsWith(entry.key, prefix)) return { items, hasMore: false };
    if (items.length === limit) return { items, hasMore: true };
    const key = commonPrefixOf(entry.key, { prefix, delimiter });
    if (!key) {
      items.push({ type: 'entry', ...entry });
      await cursor.advance();
      continue;
    }
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

/** How keys are gathered: those that have the delimiter after the prefix count as one, up to and with the delimiter. */
export interface Gathering {
  readonly prefix: Buffer;
  readonly delimiter?: Buffer;
}

/** What a key is gathered under; undefined when it stands for itself. */
export function commonPrefixOf(key: Buffer, { prefix, delimiter }: Gathering): Buffer | undefined {
  const cut = delimiter === undefined || !startsWith(key, prefix) ? -1 : key.indexOf(delimiter, prefix.length);
  return cut < 0 ? undefined : key.subarray(0, cut + delimiter!.length);
}

/** Where a page begins that comes after a key, or after everything below a common prefix; undefined past all keys. */
export function startAfter(after: Buffer | undefined, gathering: Gathering): Buffer | undefined {
  if (!after || after.length === 0 || after.compare(gathering.prefix) < 0) return gathering.prefix;
  if (commonPrefixOf(after, gathering)?.equals(after)) return firstKeyPast(after);
  // The least key above it.
  return Buffer.concat([after, Buffer.of(0)]);
}
