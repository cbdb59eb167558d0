import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Comparison } from '../mlflow/filter';
import {
  LATEST_VERSIONS,
  MODEL_BY_NAME,
  searchModels,
  searchVersions,
  VERSION,
  VERSION_FILE,
} from './model-queries.sql';

export interface FoundModelRow {
  readonly modelId: string;
  readonly name: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly aliases: Readonly<Record<string, number>>;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface FoundVersionRow {
  readonly modelId: string;
  readonly name: string;
  /** All aliases of the model. */
  readonly aliases: Readonly<Record<string, number>>;
  readonly version: number;
  readonly stage: string;
  readonly description: string;
  readonly source: string;
  readonly artifactLocation: string;
  readonly runId: string | null;
  readonly loggedModelId: string | null;
  readonly runLink: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface SearchTerms {
  readonly comparisons: readonly Comparison[];
  readonly order: readonly { readonly key: string; readonly ascending: boolean }[];
  readonly limit: number;
  readonly offset: number;
}

/** What a filter and an order call a column; never a client's text. */
const MODEL_COLUMNS: Readonly<Record<string, string>> = {
  name: 'models.name',
  creation_timestamp: 'models.created_at',
  last_updated_timestamp: 'models.updated_at',
};
const VERSION_COLUMNS: Readonly<Record<string, string>> = {
  name: 'models.name',
  version_number: 'version',
  run_id: 'run_id',
  source_path: 'source',
  creation_timestamp: 'model_versions.created_at',
  last_updated_timestamp: 'model_versions.updated_at',
};
const PROMPT_TAG = 'mlflow.prompt.is_prompt';

/** Reads registered models and versions as they stand. */
@Injectable()
export class ModelQueries {
  constructor(private readonly database: DataSource) {}

  async model(tenant: string, name: string): Promise<FoundModelRow | undefined> {
    const [row] = await this.database.query<FoundModelRow[]>(MODEL_BY_NAME, [tenant, name]);
    return row;
  }

  async version(tenant: string, name: string, version: number): Promise<FoundVersionRow | undefined> {
    const [row] = await this.database.query<FoundVersionRow[]>(VERSION, [tenant, name, version]);
    return row;
  }

  async file(
    tenant: string,
    of: { readonly name: string; readonly version: number; readonly path: string },
  ): Promise<{ objectKey: string; sizeBytes: number } | undefined> {
    const parameters = [tenant, of.name, of.version, of.path];
    const [row] = await this.database.query<{ objectKey: string; sizeBytes: number }[]>(VERSION_FILE, parameters);
    return row;
  }

  /** The youngest version of each stage, of each of these models. */
  async latestVersions(tenant: string, modelIds: readonly string[]): Promise<FoundVersionRow[]> {
    return modelIds.length === 0 ? [] : this.database.query(LATEST_VERSIONS, [tenant, modelIds]);
  }

  async searchModels(tenant: string, terms: SearchTerms): Promise<FoundModelRow[]> {
    const { conditions, values, prompts } = conditionsOf(terms.comparisons, MODEL_COLUMNS, 'models.tags');
    const order = orderOf(terms.order, MODEL_COLUMNS, ['name']);
    const sql = searchModels({ conditions, prompts, order });
    return this.database.query(sql, [tenant, terms.limit, terms.offset, ...values]);
  }

  async searchVersions(tenant: string, terms: SearchTerms): Promise<FoundVersionRow[]> {
    const { conditions, values, prompts } = conditionsOf(terms.comparisons, VERSION_COLUMNS, 'model_versions.tags');
    const order = orderOf(terms.order, VERSION_COLUMNS, ['name', 'version_number']);
    const sql = searchVersions({ conditions, prompts, order });
    return this.database.query(sql, [tenant, terms.limit, terms.offset, ...values]);
  }
}

/** Parameters 1 to 3 are the tenant, the limit and the offset. */
const FIRST_PARAMETER = 4;

function conditionsOf(comparisons: readonly Comparison[], columns: Readonly<Record<string, string>>, tags: string) {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${FIRST_PARAMETER - 1 + values.push(value)}`;
  const conditions = comparisons
    .filter((one) => !isPromptTag(one))
    .map((comparison) => {
      const { on, key, comparator, value } = comparison;
      const left = on === 'tag' ? `(${tags} ->> ${parameter(key)}::text)` : columns[key]!;
      if (comparator === 'IN') return `${left} = any(${parameter(value)})`;
      // A version without a run has another run than any; a tag has to be there to have another value.
      if (comparator === 'NOT IN') return `(${left} <> all(${parameter(value)})) is not false`;
      const right = `${parameter(value)}${typeof value === 'number' ? '::bigint' : ''}`;
      if (comparator === '!=') return `${left} ${on === 'attribute' ? 'is distinct from' : '<>'} ${right}`;
      // Without an escape character, as in MLflow's default store: a backslash at the end would be an error otherwise.
      return `${left} ${comparator} ${right}${comparator.endsWith('LIKE') ? " escape ''" : ''}`;
    });
  const asked = comparisons.find(isPromptTag);
  const yes = asked !== undefined && (asked.comparator === '=') === (String(asked.value).toLowerCase() === 'true');
  if (yes) conditions.push(`${tags} ->> '${PROMPT_TAG}' = 'true'`);
  return { conditions, values, prompts: yes };
}

/** Models carry no mark saying that they are not prompts, so this tag is no ordinary condition. */
function isPromptTag({ on, key, comparator }: Comparison): boolean {
  return on === 'tag' && key === PROMPT_TAG && (comparator === '=' || comparator === '!=');
}

/** Ends with keys that are unique, so that pages neither repeat nor lose a row. */
function orderOf(
  order: SearchTerms['order'],
  columns: Readonly<Record<string, string>>,
  last: readonly string[],
): string[] {
  const given = order.map(({ key, ascending }) => `${columns[key]} ${ascending ? 'asc' : 'desc'}`);
  const rest = last.filter((key) => !order.some((one) => one.key === key));
  return [...given, ...rest.map((key) => `${columns[key]} ${key === 'version_number' ? 'desc' : 'asc'}`)];
}
