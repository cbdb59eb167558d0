export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** In one request a later value of a key wins, as when the same were sent one after another. */
export function lastOfEachKey(pairs: readonly KeyValue[]): KeyValue[] {
  return [...new Map(pairs.map(({ key, value }) => [key, value]))].map(([key, value]) => ({ key, value }));
}

export function withPairs(map: ReadonlyMap<string, string>, pairs: readonly KeyValue[]): ReadonlyMap<string, string> {
  const next = new Map(map);
  for (const { key, value } of pairs) next.set(key, value);
  return next;
}

export function withoutKey(map: ReadonlyMap<string, string>, key: string): ReadonlyMap<string, string> {
  const next = new Map(map);
  next.delete(key);
  return next;
}
