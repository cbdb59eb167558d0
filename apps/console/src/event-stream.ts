/** One event of the ledger's timeline, as its live feed tells it. */
export interface LedgerEntry {
  readonly cursor: string;
  readonly id: string;
  readonly service: string;
  readonly type: string;
  readonly stream: string;
  readonly time: string;
  readonly actor: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Takes the whole server-sent events off the front of a text; what is left waits for its end. */
export function eventsInText(text: string): { entries: LedgerEntry[]; rest: string } {
  const blocks = text.split(/\r?\n\r?\n/);
  const rest = blocks.pop() ?? '';
  const entries = blocks.flatMap((block) => {
    const fields = block.split(/\r?\n/).map((line) => /^(id|data): ?(.*)$/.exec(line));
    const valueOf = (name: string) => fields.flatMap((field) => (field?.[1] === name ? [field[2]!] : []));
    const data = valueOf('data').join('\n');
    return data === '' ? [] : [{ ...(JSON.parse(data) as LedgerEntry), cursor: valueOf('id')[0] ?? '' }];
  });
  return { entries, rest };
}
