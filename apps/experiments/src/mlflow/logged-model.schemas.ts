import { z } from 'zod';
import { characterCount, KEY_CHARACTERS_MAX } from '../names';
import * as fields from './fields';

const pair = z.object({
  key: fields.required.refine((key) => characterCount(key) <= KEY_CHARACTERS_MAX, {
    message: `exceeds the maximum length of ${KEY_CHARACTERS_MAX} characters`,
  }),
  value: fields.textOrEmpty,
});

export const createLoggedModel = z.object({
  experiment_id: fields.required,
  name: fields.optionalText,
  model_type: fields.textOrEmpty,
  source_run_id: fields.optionalText,
  params: fields.listOf(pair),
  tags: fields.listOf(pair),
});

export const byModel = z.object({ modelId: fields.required });

export const modelTag = z.object({ modelId: fields.required, '*': fields.required });

export const getQuery = z.object({ allow_deleted: z.enum(['true', 'false', 'True', 'False']).optional() });

export const finalize = z.object({
  status: fields.enumOf({ LOGGED_MODEL_PENDING: 1, LOGGED_MODEL_READY: 2, LOGGED_MODEL_UPLOAD_FAILED: 3 }),
});

export const logParams = z.object({ params: fields.listOf(pair) });

export const setTags = z.object({ tags: fields.listOf(pair) });

export const search = z.object({
  experiment_ids: z.array(z.string()).min(1),
  filter: fields.optionalText,
  datasets: fields.listOf(z.object({ dataset_name: fields.required, dataset_digest: fields.optionalText })),
  max_results: fields.maxResults(100, 10_000),
  order_by: fields.listOf(
    z
      .object({
        field_name: fields.required,
        ascending: z.boolean().nullish(),
        dataset_name: fields.optionalText,
        dataset_digest: fields.optionalText,
      })
      .refine(({ dataset_name, dataset_digest }) => dataset_name !== undefined || dataset_digest === undefined, {
        message: 'dataset_digest is given only together with dataset_name',
      }),
  ),
  page_token: fields.optionalText,
});

export const listArtifacts = z.object({ artifact_directory_path: fields.optionalText });

export const artifactFile = z.object({ artifact_file_path: fields.required });
