import type { Comparison, Condition, OrderBy } from './filter';

/** Values bound to a statement: nothing that a user wrote is ever part of its text. */
export class Parameters {
  readonly values: unknown[] = [];

  /** The placeholder of a value: `$3`. */
  add(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** How a comparison or an order reads for one kind of thing, whose row is under `alias`. */
export interface SearchSql {
  readonly alias: string;
  /** Attributes that are numbers; the others are text. */
  readonly numberColumns: readonly string[];
  /** A condition on a metric, as a predicate; a subselect, because metrics have a table of their own. */
  metric(key: string, condition: (value: string, isNan: string) => string): string;
  dataset?(column: string, condition: (value: string) => string): string;
  /** Rows to join and the columns that then hold a metric's value and whether it is NaN. */
  orderMetric(key: string, joinAlias: string): { join: string; value: string; isNan: string };
}

/** One comparison as an SQL predicate; null (no such param, no such tag) is never true but for IS NULL. */
export function predicate(comparison: Comparison, sql: SearchSql, parameters: Parameters): string {
  const { field, condition } = comparison;
  switch (field.entity) {
    case 'metric':
      return sql.metric(field.key, (value, isNan) => metricCondition(value, isNan, condition, parameters));
    case 'dataset':
      return sql.dataset?.(field.key, (value) => conditionOn(value, condition, parameters)) ?? 'false';
    default:
      return conditionOn(columnOf(field, sql, parameters), condition, parameters);
  }
}

/** The column, or the entry of a document, that a field other than a metric or dataset stands for. */
function columnOf(field: Comparison['field'], { alias }: SearchSql, parameters: Parameters): string {
  if (field.entity === 'attribute') return `${alias}.${field.key}`;
  return `(${alias}.${field.entity === 'param' ? 'params' : 'tags'} ->> ${parameters.add(field.key)}::text)`;
}

/** NaN is stored as 0 with a flag: it is unequal to every number, and neither greater nor smaller than any. */
function metricCondition(value: string, isNan: string, condition: Condition, parameters: Parameters): string {
  const compared = conditionOn(value, condition, parameters);
  return condition.comparator === '!=' ? `(${isNan} or ${compared})` : `(not ${isNan} and ${compared})`;
}

function conditionOn(column: string, condition: Condition, parameters: Parameters): string {
  switch (condition.kind) {
    case 'number':
      return `${column} ${sqlOperator(condition.comparator)} ${parameters.add(condition.value)}::double precision`;
    case 'text': {
      const value = `${parameters.add(condition.value)}::text`;
      // Without an escape character, as in MLflow's default store: a backslash at the end would be an error otherwise.
      const suffix = condition.comparator.endsWith('LIKE') ? " escape ''" : '';
      return `${column} ${sqlOperator(condition.comparator)} ${value}${suffix}`;
    }
    case 'list': {
      const values = `${parameters.add(condition.values)}::text[]`;
      return condition.comparator === 'IN' ? `${column} = any(${values})` : `${column} <> all(${values})`;
    }
    case 'presence':
      return `${column} ${condition.comparator.toLowerCase()}`;
  }
}

function sqlOperator(comparator: string): string {
  return comparator === '!=' ? '<>' : comparator.toLowerCase();
}

/** Joins and terms of an ORDER BY. What has no value comes last whichever way, and NaN just before that. */
export function orderTerms(
  orders: readonly OrderBy[],
  sql: SearchSql,
  parameters: Parameters,
  firstIndex = 0,
): { joins: string; terms: string[] } {
  const joins: string[] = [];
  const terms = orders.flatMap(({ field, ascending }, index) => {
    const direction = ascending ? 'asc' : 'desc';
    if (field.entity === 'metric') {
      const { join, value, isNan } = sql.orderMetric(field.key, `order_${firstIndex + index}`);
      joins.push(join);
      return [`(case when ${isNan} then 1 when ${value} is null then 2 else 0 end)`, `${value} ${direction}`];
    }
    const column = columnOf(field, sql, parameters);
    const isText = field.entity !== 'attribute' || !sql.numberColumns.includes(field.key);
    return [`${column}${isText ? ' collate "C"' : ''} ${direction} nulls last`];
  });
  return { joins: joins.join('\n'), terms };
}
