import { Injectable } from '@nestjs/common';
import { EventLog } from '@mledger/event-log';
import { offsetOfToken, pageOf, type Page } from '../search/page-token';
import type { MetricView } from './run.queries';

export type RunMetricView = MetricView & { readonly run_id: string };

/** Bigint columns come as text from the driver; json would cost more than these casts. */
const POINT = 'run_id, key, value, is_nan, timestamp::double precision as timestamp, step::double precision as step';

/** Answers about the points of metrics. */
@Injectable()
export class MetricQueries {
  constructor(private readonly log: EventLog) {}

  /** The points of one metric of a run, oldest first. @throws FilterFault for a token that is none */
  async history(of: {
    tenant: string;
    runId: string;
    key: string;
    maxResults: number;
    pageToken?: string;
  }): Promise<Page<RunMetricView>> {
    const offset = offsetOfToken(of.pageToken);
    const { rows } = await this.log.pool.query<RunMetricView>(
      `select ${POINT} from metric_points where tenant = $1 and run_id = $2 and key = $3
       order by metric_points.timestamp, metric_points.step, value, is_nan offset $4 limit $5`,
      [of.tenant, of.runId, of.key, offset, of.maxResults + 1],
    );
    return pageOf(rows, { offset, limit: of.maxResults });
  }

  /** The points of one metric of several runs, by run and then oldest first; the first `maxResults` of them all. */
  async historyOfRuns(of: {
    tenant: string;
    runIds: readonly string[];
    key: string;
    maxResults: number;
  }): Promise<RunMetricView[]> {
    const { rows } = await this.log.pool.query<RunMetricView>(
      `select ${POINT} from metric_points where tenant = $1 and run_id = any($2::text[]) and key = $3
       order by run_id collate "C", metric_points.timestamp, metric_points.step, value, is_nan limit $4`,
      [of.tenant, of.runIds, of.key, of.maxResults],
    );
    return rows;
  }

  /**
   * At most `maxResults` points of each run, evenly spread over its rows (not its steps: many points may share one), the
   * first and the last among them. Of n points those at floor(k (n - 1) / (m - 1)) for k = 0 … m - 1 are taken.
   */
  async sample(of: {
    tenant: string;
    runIds: readonly string[];
    key: string;
    maxResults: number;
    steps?: { start: number; end: number };
  }): Promise<RunMetricView[]> {
    const { rows } = await this.log.pool.query<RunMetricView>(
      `select ${POINT} from (
         select *, row_number() over points - 1 as i, count(*) over (partition by run_id) - 1 as last
         from metric_points
         where tenant = $1 and run_id = any($2::text[]) and key = $3
           and ($5::bigint is null or step between $5::bigint and $6::bigint)
         window points as (partition by run_id order by step, timestamp, value, is_nan)
       ) p
       where last < $4 or (case when $4 = 1 then i = last else ((i * ($4 - 1) + last - 1) / last) * last < (i + 1) * ($4 - 1) end)
       order by array_position($2::text[], run_id), p.step, p.timestamp, value, is_nan`,
      [of.tenant, of.runIds, of.key, of.maxResults, of.steps?.start ?? null, of.steps?.end ?? null],
    );
    return rows;
  }
}
