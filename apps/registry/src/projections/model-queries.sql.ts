const MODEL_COLUMNS = `
  models.model_id as "modelId", models.name, models.description, models.tags, models.aliases,
  models.created_by as "createdBy", models.created_at as "createdAt", models.updated_at as "updatedAt"`;

const VERSION_COLUMNS = `
  model_versions.model_id as "modelId", models.name, models.aliases, version, stage, model_versions.description, source,
  artifact_location as "artifactLocation", run_id as "runId", logged_model_id as "loggedModelId",
  run_link as "runLink", model_versions.tags, model_versions.created_by as "createdBy",
  model_versions.created_at as "createdAt", model_versions.updated_at as "updatedAt"`;

/** $1 tenant, $2 name */
export const MODEL_BY_NAME = `select ${MODEL_COLUMNS} from models where tenant = $1 and name = $2`;

/** $1 tenant, $2 name, $3 version */
export const VERSION = `
  select ${VERSION_COLUMNS} from model_versions join models using (tenant, model_id)
  where tenant = $1 and models.name = $2 and version = $3`;

/** $1 tenant, $2 name, $3 version, $4 path */
export const VERSION_FILE = `
  select file ->> 'objectKey' as "objectKey", (file ->> 'sizeBytes')::float8 as "sizeBytes"
  from model_versions join models using (tenant, model_id), jsonb_array_elements(files) as file
  where tenant = $1 and models.name = $2 and version = $3 and file ->> 'path' = $4`;

/** The youngest version of each stage. $1 tenant, $2 model ids */
export const LATEST_VERSIONS = `
  select ${VERSION_COLUMNS} from (
    select distinct on (model_id, stage) * from model_versions
    where tenant = $1 and model_id = any($2) order by model_id, stage, version desc
  ) model_versions join models using (tenant, model_id)
  order by models.name, version`;

/** Prompts are registered models too; a search that does not ask for them leaves them out. */
const IS_PROMPT = `coalesce(models.tags ->> 'mlflow.prompt.is_prompt', '') = 'true'`;

interface SearchParts {
  readonly conditions: readonly string[];
  readonly prompts: boolean;
  readonly order: readonly string[];
}

/** $1 tenant, $2 limit, $3 offset, then what the conditions name */
export function searchModels({ conditions, prompts, order }: SearchParts): string {
  return `
    select ${MODEL_COLUMNS} from models
    where ${['tenant = $1', prompts ? 'true' : `not ${IS_PROMPT}`, ...conditions].join(' and ')}
    order by ${order.join(', ')} limit $2 offset $3`;
}

/** $1 tenant, $2 limit, $3 offset, then what the conditions name */
export function searchVersions({ conditions, prompts, order }: SearchParts): string {
  return `
    select ${VERSION_COLUMNS} from model_versions join models using (tenant, model_id)
    where ${['tenant = $1', prompts ? 'true' : `not ${IS_PROMPT}`, ...conditions].join(' and ')}
    order by ${order.join(', ')} limit $2 offset $3`;
}
