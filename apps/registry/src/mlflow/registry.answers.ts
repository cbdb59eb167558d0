import type { FoundModelRow, FoundVersionRow } from '../projections/model-queries';

/** `ModelVersion` of MLflow's protobuf, as JSON; absent is how protobuf writes the empty. */
export function versionAnswer(row: FoundVersionRow): object {
  return {
    name: row.name,
    version: String(row.version),
    creation_timestamp: Date.parse(row.createdAt),
    last_updated_timestamp: Date.parse(row.updatedAt),
    user_id: row.createdBy,
    current_stage: row.stage,
    description: row.description,
    source: row.source,
    ...(row.runId !== null && { run_id: row.runId }),
    status: 'READY',
    tags: tagList(row.tags),
    ...(row.runLink !== '' && { run_link: row.runLink }),
    aliases: Object.entries(row.aliases)
      .filter(([, version]) => version === row.version)
      .map(([alias]) => alias)
      .sort(),
    ...(row.loggedModelId !== null && { model_id: row.loggedModelId }),
  };
}

/** `RegisteredModel` of MLflow's protobuf, with the latest version of each stage. */
export function modelAnswer(row: FoundModelRow, latest: readonly FoundVersionRow[]): object {
  return {
    name: row.name,
    creation_timestamp: Date.parse(row.createdAt),
    last_updated_timestamp: Date.parse(row.updatedAt),
    user_id: row.createdBy,
    description: row.description,
    latest_versions: latest.map(versionAnswer),
    tags: tagList(row.tags),
    aliases: Object.entries(row.aliases)
      .map(([alias, version]) => ({ alias, version: String(version) }))
      .sort((one, other) => (one.alias < other.alias ? -1 : 1)),
  };
}

function tagList(tags: Readonly<Record<string, string>>): { key: string; value: string }[] {
  return Object.entries(tags)
    .map(([key, value]) => ({ key, value }))
    .sort((one, other) => (one.key < other.key ? -1 : 1));
}
