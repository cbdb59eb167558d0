/** A page ends with the event that brings the data in it to this, or with the count that was asked for. See docs/adr/0016. */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;

/** Beside `e.*`: the bytes of the events up to and with this one. */
export const bytesUpTo = (order: string): string =>
  `sum(e.bytes) over (order by ${order} rows unbounded preceding) as bytes_up_to`;

/** Where the events `e` have bytesUpTo: keeps a page in its bounds, and never empty. */
export const WITHIN_PAGE = `e.bytes_up_to - e.bytes < ${PAGE_BYTES_MAX}`;

/** Whether the bounds ended a page, so that there may be more behind it. `bytes`: bytes_up_to of its last event, if it has one. */
export function isFull(page: {
  readonly count: number;
  readonly limit: number;
  readonly bytes?: number | null;
}): boolean {
  return page.count >= page.limit || (page.bytes ?? 0) >= PAGE_BYTES_MAX;
}
