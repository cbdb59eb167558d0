import { Injectable } from '@nestjs/common';
import { EventLog } from '@mledger/event-log';
import type { Pairs } from '../projections/experiment.projection';
import { parseFilter, parseOrderBy } from '../search/filter';
import { EXPERIMENT_GRAMMAR } from '../search/grammars';
import { offsetOfToken, pageOf, type Page } from '../search/page-token';
import { orderTerms, Parameters, predicate, type SearchSql } from '../search/sql';
import type { View } from './run.queries';

export interface ExperimentView {
  readonly experiment_id: string;
  readonly name: string;
  readonly artifact_location: string;
  readonly deleted: boolean;
  /** Milliseconds; the driver hands bigints over as text. */
  readonly creation_time: string;
  readonly last_update_time: string;
  readonly tags: Pairs;
}

const COLUMNS = 'experiment_id, name, artifact_location, deleted, creation_time, last_update_time, tags';

/** Experiments have no metrics, and their grammar lets nobody ask for any. */
const SEARCH_SQL: SearchSql = {
  alias: 'e',
  numberColumns: ['creation_time', 'last_update_time'],
  metric: () => 'false',
  orderMetric: () => ({ join: '', value: 'null', isNan: 'false' }),
};

/** Answers about experiments, as of the last commit. */
@Injectable()
export class ExperimentQueries {
  constructor(private readonly log: EventLog) {}

  async find(tenant: string, experimentId: string): Promise<ExperimentView | undefined> {
    const text = `select ${COLUMNS} from experiments where tenant = $1 and experiment_id = $2`;
    const { rows } = await this.log.pool.query<ExperimentView>(text, [tenant, experimentId]);
    return rows[0];
  }

  async findByName(tenant: string, name: string): Promise<ExperimentView | undefined> {
    const text = `select ${COLUMNS} from experiments where tenant = $1 and name = $2`;
    const { rows } = await this.log.pool.query<ExperimentView>(text, [tenant, name]);
    return rows[0];
  }

  /** @throws FilterFault for a filter, an order or a token that is none */
  async search(search: {
    tenant: string;
    filter?: string;
    view: View;
    orderBy: readonly string[];
    maxResults: number;
    pageToken?: string;
  }): Promise<Page<ExperimentView>> {
    const comparisons = parseFilter(search.filter, EXPERIMENT_GRAMMAR);
    const clauses = search.orderBy.length === 0 ? ['creation_time DESC'] : search.orderBy;
    const orders = clauses.map((clause) => parseOrderBy(clause, EXPERIMENT_GRAMMAR));
    const offset = offsetOfToken(search.pageToken);

    const parameters = new Parameters();
    const where = [`e.tenant = ${parameters.add(search.tenant)}`];
    where.push(...comparisons.map((comparison) => predicate(comparison, SEARCH_SQL, parameters)));
    if (search.view !== 'ALL') where.push(search.view === 'ACTIVE_ONLY' ? 'not e.deleted' : 'e.deleted');
    const { terms } = orderTerms(orders, SEARCH_SQL, parameters);
    const { rows } = await this.log.pool.query<ExperimentView>(
      `select ${COLUMNS} from experiments e where ${where.join(' and ')}
       order by ${[...terms, 'e.experiment_id collate "C" desc'].join(', ')}
       offset ${parameters.add(offset)} limit ${parameters.add(search.maxResults + 1)}`,
      parameters.values,
    );
    return pageOf(rows, { offset, limit: search.maxResults });
  }
}
