import { z } from 'zod';
import { STAGES } from '../registered-model/registered-model';

const NAME_CHARACTERS_MAX = 256;
const ALIAS_CHARACTERS_MAX = 255;
const TAG_KEY_CHARACTERS_MAX = 250;
const TAG_VALUE_CHARACTERS_MAX = 100_000;
const DESCRIPTION_CHARACTERS_MAX = 100_000;
const TAGS_MAX = 1_000;
export const MODELS_PAGE_MAX = 1_000;
export const VERSIONS_PAGE_MAX = 200_000;

/** Neither a path nor a URI: names stand in `models:/<name>/<version>`. */
const newModelName = z
  .string()
  .max(NAME_CHARACTERS_MAX)
  .refine((name) => name.trim() !== '', 'Missing value for required parameter')
  .refine((name) => !/[/:]/.test(name), "Names cannot contain '/' or ':'")
  .refine(
    (name) => name !== '.' && name !== '..',
    'Names may be treated as files in certain cases, and must not be one of . and ..',
  )
  .refine((name) => !/[\u0000-\u001f\u007f]/.test(name), 'Names cannot contain control characters');

const modelName = z.string().min(1, 'Missing value for required parameter').max(NAME_CHARACTERS_MAX);

/** What Python's `[/\w.\- :]*` matches, letters of any script among it, and the path that it would be as a file name has to be itself, as in MLflow. */
const tagKey = z
  .string()
  .min(1, 'A key name must be provided')
  .max(TAG_KEY_CHARACTERS_MAX)
  .regex(
    /^[/\p{L}\p{N}_.\- :]*$/u,
    'Names may only contain alphanumerics, underscores, dashes, periods, spaces, colons and slashes',
  )
  .refine(
    (key) => !key.split('/').some((part) => ['', '.', '..'].includes(part)),
    'Names must not resolve to other names when treated as files',
  );
const tagValue = z.string().max(TAG_VALUE_CHARACTERS_MAX);
const tags = z
  .array(z.object({ key: tagKey, value: tagValue.default('') }))
  .max(TAGS_MAX)
  .default([]);
const description = z.string().max(DESCRIPTION_CHARACTERS_MAX);

/** The client sends numbers as text; both are understood. */
const versionNumber = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(z.string().regex(/^[1-9]\d{0,8}$/, 'must be the number of a version'))
  .transform(Number);

const aliasName = z
  .string()
  .min(1, 'Registered model alias name cannot be empty')
  .max(ALIAS_CHARACTERS_MAX)
  .regex(/^[\p{L}\p{N}_-]*$/u, 'Names may only contain alphanumerics, underscores (_), and dashes (-)');
export const newAliasName = aliasName
  .refine((alias) => alias.toLowerCase() !== 'latest', "'latest' alias name (case insensitive) is reserved")
  .refine((alias) => !/^v\d+$/i.test(alias), 'Version alias names such as v1 are reserved');

const optionalText = z
  .string()
  .nullish()
  .transform((text) => text ?? '');
/** Protobuf has no null: an empty text says that nothing is meant. */
const optionalId = z
  .string()
  .max(NAME_CHARACTERS_MAX)
  .nullish()
  .transform((text) => text || null);

export const stage = z.string().transform((text, context) => {
  const found = STAGES.find((one) => one.toLowerCase() === text.toLowerCase());
  if (found) return found;
  const message = `Invalid Model Version stage: ${text}. Value must be one of ${STAGES.join(', ')}.`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

export const byName = z.object({ name: modelName });
export const createModel = z.object({ name: newModelName, description: description.nullish(), tags });
export const renameModel = z.object({ name: modelName, new_name: newModelName });
export const updateModel = z.object({ name: modelName, description: description.nullish() });
export const setModelTag = z.object({ name: modelName, key: tagKey, value: tagValue.nullish() });
export const deleteModelTag = z.object({ name: modelName, key: tagKey });
export const setAlias = z.object({ name: modelName, alias: newAliasName, version: versionNumber });
export const byAlias = z.object({ name: modelName, alias: aliasName });
export const latestVersions = z.object({ name: modelName, stages: listOf(stage) });

export const createVersion = z.object({
  name: modelName,
  source: z.string().min(1, 'Missing value for required parameter'),
  run_id: optionalId,
  model_id: optionalId,
  run_link: optionalText,
  description: description.nullish(),
  tags,
});
export const byVersion = z.object({ name: modelName, version: versionNumber });
export const versionArtifact = byVersion.extend({ path: z.string().min(1).max(4_096) });
export const updateVersion = byVersion.extend({ description: description.nullish() });
export const setVersionTag = byVersion.extend({ key: tagKey, value: tagValue.nullish() });
export const deleteVersionTag = byVersion.extend({ key: tagKey });
export const transitionStage = byVersion.extend({
  stage,
  archive_existing_versions: z
    .union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])
    .default(false),
});

export const searchModels = search({ usual: 100, max: MODELS_PAGE_MAX });
export const searchVersions = search({ usual: 10_000, max: VERSIONS_PAGE_MAX });

function search({ usual, max }: { usual: number; max: number }) {
  return z.object({
    filter: optionalText,
    max_results: z.coerce.number().int().min(1).max(max).default(usual),
    order_by: listOf(z.string().max(1_000)),
    page_token: optionalText,
  });
}

/** A repeated query parameter is one text when it stands once. */
function listOf<T extends z.ZodType>(item: T) {
  return z.preprocess((value) => (value === undefined || value === null ? [] : [value].flat()), z.array(item).max(100));
}
