import { FilterFault } from './filter-lexer';

const OFFSET_MAX = 1_000_000_000;

/** Where the next page of a search begins, as an opaque text; MLflow's clients hand it back unread. */
export function pageToken(offset: number): string {
  return Buffer.from(JSON.stringify({ offset })).toString('base64url');
}

/** @throws FilterFault for a token that was never given out */
export function offsetOfToken(token: string | undefined): number {
  if (!token) return 0;
  try {
    const { offset } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as { offset?: unknown };
    if (Number.isSafeInteger(offset) && (offset as number) > 0 && (offset as number) <= OFFSET_MAX)
      return offset as number;
  } catch {
    // Told below, like any other text that is no token.
  }
  throw new FilterFault('Invalid page token');
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken?: string;
}

/** Cuts what was read with a limit one beyond the page's to a page. */
export function pageOf<T>(rows: readonly T[], { offset, limit }: { offset: number; limit: number }): Page<T> {
  if (rows.length <= limit) return { items: rows };
  return { items: rows.slice(0, limit), nextPageToken: pageToken(offset + limit) };
}
