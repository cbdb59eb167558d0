import { Injectable } from '@nestjs/common';
import { EventLog } from '@mledger/event-log';
import type { Pairs } from '../projections/experiment.projection';
import { parseFilter, parseOrderBy, type OrderBy } from '../search/filter';
import { FilterFault } from '../search/filter-lexer';
import { RUN_GRAMMAR } from '../search/grammars';
import { offsetOfToken, pageOf, type Page } from '../search/page-token';
import { orderTerms, Parameters, predicate, type SearchSql } from '../search/sql';

export type View = 'ACTIVE_ONLY' | 'DELETED_ONLY' | 'ALL';

/** A run with all that MLflow shows of it. Times are milliseconds. */
export interface RunView {
  readonly run_id: string;
  readonly experiment_id: string;
  readonly name: string;
  readonly user_id: string;
  readonly status: string;
  readonly start_time: string;
  readonly end_time: string | null;
  readonly artifact_uri: string;
  /** Deleted itself, or with its experiment. */
  readonly deleted: boolean;
  readonly params: Pairs;
  readonly tags: Pairs;
  readonly model_inputs: readonly { modelId: string }[];
  readonly model_outputs: readonly { modelId: string; step: number }[];
  readonly metrics: readonly MetricView[] | null;
  readonly datasets: readonly DatasetView[] | null;
}

export interface MetricView {
  readonly key: string;
  readonly value: number;
  readonly is_nan: boolean;
  readonly timestamp: number;
  readonly step: number;
}

export interface DatasetView {
  readonly name: string;
  readonly digest: string;
  readonly source_type: string;
  readonly source: string;
  readonly schema: string | null;
  readonly profile: string | null;
  readonly tags: Pairs;
}

export interface RunStanding {
  readonly experimentId: string;
  readonly runDeleted: boolean;
  readonly experimentDeleted: boolean;
}

export interface RunSearch {
  readonly tenant: string;
  readonly experimentIds: readonly string[];
  readonly filter?: string;
  readonly view: View;
  readonly orderBy: readonly string[];
  readonly maxResults: number;
  readonly pageToken?: string;
}

/** Runs by the ids and in the order of `wanted (run_id, place)`. $1 is the tenant. */
const runsOf = (wanted: string): string => `
  with wanted as (${wanted})
  select r.run_id, r.experiment_id, r.name, r.user_id, r.status, r.start_time, r.end_time, r.artifact_uri,
         (r.deleted or e.deleted) as deleted, r.params, r.tags, r.model_inputs, r.model_outputs,
         (select json_agg(m) from (
            select key, value, is_nan, timestamp, step from latest_metrics
            where tenant = $1 and run_id = r.run_id order by key) m) as metrics,
         (select json_agg(d) from (
            select name, digest, source_type, source, schema, profile, tags from run_datasets
            where tenant = $1 and run_id = r.run_id order by name collate "C", digest collate "C") d) as datasets
  from wanted
  join runs r on r.tenant = $1 and r.run_id = wanted.run_id
  join experiments e on e.tenant = $1 and e.experiment_id = r.experiment_id
  order by wanted.place`;

/** Answers from the projections of runs; every row is as of the last commit. */
@Injectable()
export class RunQueries {
  constructor(private readonly log: EventLog) {}

  async find(tenant: string, runId: string): Promise<RunView | undefined> {
    const text = runsOf('select $2::text as run_id, 1 as place');
    const { rows } = await this.log.pool.query<RunView>({ name: 'run_by_id', text, values: [tenant, runId] });
    return rows[0];
  }

  /** Whether a run is there, in which experiment, and whether either is deleted. */
  async standing(tenant: string, runId: string): Promise<RunStanding | undefined> {
    const { rows } = await this.log.pool.query<RunStanding>({
      name: 'run_standing',
      text: `select r.experiment_id as "experimentId", r.deleted as "runDeleted", e.deleted as "experimentDeleted"
             from runs r join experiments e on e.tenant = r.tenant and e.experiment_id = r.experiment_id
             where r.tenant = $1 and r.run_id = $2`,
      values: [tenant, runId],
    });
    return rows[0];
  }

  /** @throws FilterFault for a filter, an order or a token that is none */
  async search(search: RunSearch): Promise<Page<RunView>> {
    const { tenant, experimentIds, view, maxResults } = search;
    const comparisons = parseFilter(search.filter, RUN_GRAMMAR);
    const orders = parseOrders(search.orderBy);
    const offset = offsetOfToken(search.pageToken);
    if (experimentIds.length === 0) return { items: [] };

    const parameters = new Parameters();
    parameters.add(tenant);
    const sql = runSearchSql(parameters);
    const where = comparisons.map((comparison) => predicate(comparison, sql, parameters));
    if (view !== 'ALL')
      where.push(view === 'ACTIVE_ONLY' ? 'not (r.deleted or e.deleted)' : '(r.deleted or e.deleted)');
    const { joins, terms } = orderTerms(orders, sql, parameters);
    if (!orders.some(({ field }) => field.key === 'start_time')) terms.push('r.start_time desc');
    const order = [...terms, 'r.run_id collate "C"'].join(', ');
    const wanted = `
      select r.run_id, row_number() over (order by ${order}) as place
      from runs r
      join experiments e on e.tenant = r.tenant and e.experiment_id = r.experiment_id
      ${joins}
      where r.tenant = $1 and r.experiment_id = any(${parameters.add([...new Set(experimentIds)])}::text[])
        ${where.map((clause) => `and ${clause}`).join('\n')}
      order by ${order}
      offset ${parameters.add(offset)} limit ${parameters.add(maxResults + 1)}`;
    const { rows } = await this.log.pool.query<RunView>(runsOf(wanted), parameters.values);
    return pageOf(rows, { offset, limit: maxResults });
  }

  /** Datasets that runs of these experiments read, each name, digest and context once; at most 1,000. */
  async datasetSummaries(tenant: string, experimentIds: readonly string[]) {
    const { rows } = await this.log.pool.query<{
      experiment_id: string;
      name: string;
      digest: string;
      context: string | null;
    }>(
      `select distinct r.experiment_id, d.name, d.digest, d.context
       from run_datasets d join runs r on r.tenant = d.tenant and r.run_id = d.run_id
       where d.tenant = $1 and r.experiment_id = any($2::text[])
       order by r.experiment_id, d.name, d.digest, d.context limit 1000`,
      [tenant, experimentIds],
    );
    return rows;
  }
}

function parseOrders(clauses: readonly string[]): OrderBy[] {
  const orders = clauses.map((clause) => parseOrderBy(clause, RUN_GRAMMAR));
  const names = orders.map(({ field }) => `${field.entity}.${field.key}`);
  if (new Set(names).size < names.length) throw new FilterFault('order_by names a field twice');
  return orders;
}

function runSearchSql(parameters: Parameters): SearchSql {
  const ofRun = (alias: string) => `${alias}.tenant = r.tenant and ${alias}.run_id = r.run_id`;
  return {
    alias: 'r',
    numberColumns: ['start_time', 'end_time'],
    // Looked up run by run, by their keys. `exists` is made a join, which without statistics, as after many runs at once, pairs
    // each run with that metric of all others.
    metric: (key, condition) =>
      `(select ${condition('m.value', 'm.is_nan')} from latest_metrics m where ${ofRun('m')} and m.key = ${parameters.add(key)})`,
    dataset: (column, condition) =>
      `(select bool_or(${condition(`d.${column}`)}) from run_datasets d where ${ofRun('d')})`,
    orderMetric: (key, alias) => ({
      join: `left join latest_metrics ${alias} on ${ofRun(alias)} and ${alias}.key = ${parameters.add(key)}`,
      value: `${alias}.value`,
      isNan: `${alias}.is_nan`,
    }),
  };
}
