import { ApiError } from '@mledger/service-kit';
import type { FoundModelRow, FoundVersionRow, SearchTerms } from '../projections/model-queries';
import { LIST_COMPARATORS, NUMBER_COMPARATORS, parseFilter, TEXT_COMPARATORS, type FilterGrammar } from './filter';

interface SearchRequest {
  readonly filter: string;
  readonly max_results: number;
  readonly order_by: readonly string[];
  readonly page_token: string;
}

export interface SearchRules {
  readonly grammar: FilterGrammar;
  readonly orderKeys: readonly string[];
}

export const MODEL_SEARCH: SearchRules = {
  grammar: { name: LIST_COMPARATORS },
  orderKeys: ['name', 'creation_timestamp', 'last_updated_timestamp'],
};
export const VERSION_SEARCH: SearchRules = {
  grammar: {
    name: LIST_COMPARATORS,
    version_number: NUMBER_COMPARATORS,
    run_id: LIST_COMPARATORS,
    source_path: TEXT_COMPARATORS,
  },
  orderKeys: ['name', 'version_number', 'creation_timestamp', 'last_updated_timestamp'],
};
/** `timestamp` is MLflow's old name. */
const ORDER_SYNONYMS: Readonly<Record<string, string>> = { timestamp: 'last_updated_timestamp' };
const OFFSET_MAX = 100_000_000;

/** One row more than the page is read, to know whether another follows. */
export function searchTerms(request: SearchRequest, rules: SearchRules): SearchTerms {
  return {
    comparisons: parseFilter(request.filter, rules.grammar),
    order: parseOrder(request.order_by, rules.orderKeys),
    limit: request.max_results + 1,
    offset: request.page_token === '' ? 0 : parsePageToken(request.page_token),
  };
}

export function page<Row extends FoundModelRow | FoundVersionRow>(
  rows: readonly Row[],
  { limit, offset }: SearchTerms,
): { rows: readonly Row[]; next_page_token?: string } {
  if (rows.length < limit) return { rows };
  const token = Buffer.from(JSON.stringify({ offset: offset + limit - 1 })).toString('base64');
  return { rows: rows.slice(0, -1), next_page_token: token };
}

function parseOrder(clauses: readonly string[], keys: readonly string[]): SearchTerms['order'] {
  const order = clauses.map((clause) => parseOrderClause(clause, keys));
  if (new Set(order.map(({ key }) => key)).size < order.length) {
    throw ApiError.invalid(`order_by contains duplicate fields: ${clauses.join(', ')}`);
  }
  return order;
}

function parseOrderClause(clause: string, keys: readonly string[]): SearchTerms['order'][number] {
  const [, quoted, direction = 'asc'] = /^\s*(\S+)(?:\s+(asc|desc))?\s*$/i.exec(clause) ?? [];
  if (quoted === undefined) throw ApiError.invalid(`Invalid order_by clause '${clause}'. Could not be parsed.`);
  const name = quoted.replace(/^attributes?\./, '').replace(/^[`"](.*)[`"]$/, '$1');
  const key = Object.hasOwn(ORDER_SYNONYMS, name) ? ORDER_SYNONYMS[name]! : name;
  if (!keys.includes(key)) {
    throw ApiError.invalid(`Invalid order by key '${name}' specified. Valid keys are ${keys.join(', ')}`);
  }
  return { key, ascending: direction.toLowerCase() === 'asc' };
}

function parsePageToken(token: string): number {
  const text = Buffer.from(token, 'base64').toString('utf8');
  const digits = /^\{"offset":\s*(\d{1,9})\}$/.exec(text)?.[1];
  if (digits === undefined || Number(digits) > OFFSET_MAX) {
    throw ApiError.invalid('Invalid page token: send the next_page_token of the page before');
  }
  return Number(digits);
}
