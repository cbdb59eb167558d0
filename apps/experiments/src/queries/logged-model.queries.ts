import { Injectable } from '@nestjs/common';
import { EventLog } from '@mledger/event-log';
import type { Pairs } from '../projections/experiment.projection';
import { parseFilter, parseOrderBy, type OrderBy } from '../search/filter';
import { FilterFault } from '../search/filter-lexer';
import { LOGGED_MODEL_GRAMMAR } from '../search/grammars';
import { offsetOfToken, pageOf, type Page } from '../search/page-token';
import { orderTerms, Parameters, predicate, type SearchSql } from '../search/sql';
import type { MetricView } from './run.queries';

export type ModelMetricView = MetricView & {
  readonly run_id: string;
  readonly dataset_name: string;
  readonly dataset_digest: string;
};

export interface LoggedModelView {
  readonly model_id: string;
  readonly experiment_id: string;
  readonly name: string;
  readonly model_type: string;
  readonly source_run_id: string | null;
  readonly artifact_location: string;
  readonly status: 'PENDING' | 'READY' | 'UPLOAD_FAILED';
  readonly deleted: boolean;
  readonly creation_time: string;
  readonly last_update_time: string;
  readonly params: Pairs;
  readonly tags: Pairs;
  readonly metrics: readonly ModelMetricView[] | null;
}

interface DatasetFilter {
  readonly name: string;
  readonly digest?: string;
}

/** Of a metric several datasets may have a value; an order names whose it means. */
export interface LoggedModelOrder {
  readonly field: string;
  readonly ascending: boolean;
  readonly dataset?: DatasetFilter;
}

export interface LoggedModelSearch {
  readonly tenant: string;
  readonly experimentIds: readonly string[];
  readonly filter?: string;
  readonly datasets: readonly DatasetFilter[];
  readonly orderBy: readonly LoggedModelOrder[];
  readonly maxResults: number;
  readonly pageToken?: string;
}

/** Models by the ids and in the order of `wanted (model_id, place)`. $1 is the tenant. */
const modelsOf = (wanted: string): string => `
  with wanted as (${wanted})
  select l.model_id, l.experiment_id, l.name, l.model_type, l.source_run_id, l.artifact_location, l.status, l.deleted,
         l.creation_time, l.last_update_time, l.params, l.tags,
         (select json_agg(m) from (
            select key, value, is_nan, timestamp, step, run_id, dataset_name, dataset_digest from model_metrics
            where tenant = $1 and model_id = l.model_id
            order by key collate "C", step, timestamp, run_id collate "C") m) as metrics
  from wanted join logged_models l on l.tenant = $1 and l.model_id = wanted.model_id
  order by wanted.place`;

/** Answers about logged models, as of the last commit. */
@Injectable()
export class LoggedModelQueries {
  constructor(private readonly log: EventLog) {}

  async find(tenant: string, modelId: string): Promise<LoggedModelView | undefined> {
    const text = modelsOf('select $2::text as model_id, 1 as place');
    const { rows } = await this.log.pool.query<LoggedModelView>(text, [tenant, modelId]);
    return rows[0];
  }

  async standing(tenant: string, modelId: string): Promise<{ experimentId: string; deleted: boolean } | undefined> {
    const { rows } = await this.log.pool.query<{ experimentId: string; deleted: boolean }>({
      name: 'logged_model_standing',
      text: `select experiment_id as "experimentId", deleted from logged_models where tenant = $1 and model_id = $2`,
      values: [tenant, modelId],
    });
    return rows[0];
  }

  /** Those of the ids that are no logged model of the tenant. */
  async missing(tenant: string, modelIds: readonly string[]): Promise<string[]> {
    const { rows } = await this.log.pool.query<{ id: string }>(
      `select id from unnest($2::text[]) as id
       where not exists (select from logged_models where tenant = $1 and model_id = id)`,
      [tenant, modelIds],
    );
    return rows.map(({ id }) => id);
  }

  /** Models that are not deleted. @throws FilterFault for a filter, an order or a token that is none */
  async search(search: LoggedModelSearch): Promise<Page<LoggedModelView>> {
    const comparisons = parseFilter(search.filter, LOGGED_MODEL_GRAMMAR);
    const offset = offsetOfToken(search.pageToken);
    const parameters = new Parameters();
    parameters.add(search.tenant);
    const onDatasets = datasetCondition(search.datasets, parameters);
    const sql = modelSearchSql(parameters, onDatasets);
    const where = comparisons.map((comparison) => predicate(comparison, sql, parameters));
    const asksMetrics = comparisons.some(({ field }) => field.entity === 'metric');
    if (search.datasets.length > 0 && !asksMetrics)
      where.push(`exists (select from model_metrics m where ${OF_MODEL} and ${onDatasets})`);

    const orders = search.orderBy.map((order, index) => orderOf(order, index, parameters));
    const terms = orders.flatMap((order) => order.terms);
    if (!orders.some(({ key }) => key === 'creation_time')) terms.push('l.creation_time desc');
    const order = [...terms, 'l.model_id collate "C"'].join(', ');
    const wanted = `
      select l.model_id, row_number() over (order by ${order}) as place
      from logged_models l ${orders.map(({ joins }) => joins).join('\n')}
      where l.tenant = $1 and not l.deleted and l.experiment_id = any(${parameters.add(search.experimentIds)}::text[])
        ${where.map((clause) => `and ${clause}`).join('\n')}
      order by ${order}
      offset ${parameters.add(offset)} limit ${parameters.add(search.maxResults + 1)}`;
    const { rows } = await this.log.pool.query<LoggedModelView>(modelsOf(wanted), parameters.values);
    return pageOf(rows, { offset, limit: search.maxResults });
  }
}

const OF_MODEL = 'm.tenant = l.tenant and m.model_id = l.model_id';

function datasetCondition(datasets: readonly DatasetFilter[], parameters: Parameters): string {
  if (datasets.length === 0) return 'true';
  const each = datasets.map(({ name, digest }) => {
    const named = `m.dataset_name = ${parameters.add(name)}`;
    return digest ? `(${named} and m.dataset_digest = ${parameters.add(digest)})` : named;
  });
  return `(${each.join(' or ')})`;
}

function modelSearchSql(parameters: Parameters, onDatasets: string): SearchSql {
  return {
    alias: 'l',
    numberColumns: ['creation_time', 'last_update_time'],
    metric: (key, condition) =>
      `(select bool_or(${condition('m.value', 'm.is_nan')}) from model_metrics m
        where ${OF_MODEL} and ${onDatasets} and m.key = ${parameters.add(key)})`,
    // The newest value that any run measured.
    orderMetric: (key, alias) => ({
      join: `left join lateral (select m.value, m.is_nan from model_metrics m
        where ${OF_MODEL} and ${onDatasets} and m.key = ${parameters.add(key)}
        order by m.timestamp desc, m.step desc, m.run_id collate "C" limit 1) ${alias} on true`,
      value: `${alias}.value`,
      isNan: `${alias}.is_nan`,
    }),
  };
}

/** A model's order names its field as `metrics.auc` or an attribute, without the quotes of a filter. */
function orderOf(
  order: LoggedModelOrder,
  index: number,
  parameters: Parameters,
): { key: string; joins: string; terms: string[] } {
  const parsed = parseField(order);
  const onDataset = datasetCondition(order.dataset ? [order.dataset] : [], parameters);
  const { joins, terms } = orderTerms([parsed], modelSearchSql(parameters, onDataset), parameters, index);
  return { key: parsed.field.key, joins, terms };
}

function parseField({ field, ascending }: LoggedModelOrder): OrderBy {
  if (field.startsWith('metrics.'))
    return { field: { entity: 'metric', key: field.slice('metrics.'.length) }, ascending };
  const { field: parsed } = parseOrderBy(field, LOGGED_MODEL_GRAMMAR);
  if (parsed.entity !== 'attribute')
    throw new FilterFault(`Invalid order by field name: ${field}. Only attributes and metrics are supported`);
  return { field: parsed, ascending };
}
