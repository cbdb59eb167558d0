import { z } from 'zod';
import { EXPERIMENT_NAME_CHARACTERS_MAX, EXPERIMENT_TAG_CHARACTERS_MAX } from '../experiment/experiment';
import { characterCount, keyFault } from '../names';
import * as fields from './fields';

const name = fields.required.refine((value) => characterCount(value) <= EXPERIMENT_NAME_CHARACTERS_MAX, {
  message: `exceeds the maximum length of ${EXPERIMENT_NAME_CHARACTERS_MAX} characters`,
});

const tag = {
  key: z.string().superRefine((key, context) => {
    const fault = keyFault(key);
    if (fault) context.addIssue({ code: 'custom', message: fault });
  }),
  value: fields.textOrEmpty.refine((value) => characterCount(value) <= EXPERIMENT_TAG_CHARACTERS_MAX, {
    message: `exceeds the maximum length of ${EXPERIMENT_TAG_CHARACTERS_MAX} characters`,
  }),
};

export const createExperiment = z.object({
  name,
  artifact_location: fields.optionalText,
  tags: fields.listOf(z.object(tag)),
});

export const byExperiment = z.object({ experiment_id: fields.required });

export const byExperimentName = z.object({ experiment_name: fields.required });

export const updateExperiment = z.object({ experiment_id: fields.required, new_name: name });

export const setExperimentTag = z.object({ experiment_id: fields.required, ...tag });

export const deleteExperimentTag = z.object({ experiment_id: fields.required, key: fields.required });

const search = {
  filter: fields.optionalText,
  view_type: fields.optionalEnum(fields.VIEW),
  max_results: fields.maxResults(1000, 50_000),
  page_token: fields.optionalText,
};

export const searchExperiments = z.object({ ...search, order_by: fields.listOf(fields.text) });

export const searchExperimentsQuery = z.object({ ...search, order_by: fields.queryList });

export const searchDatasets = z.object({ experiment_ids: z.array(z.string()).min(1).max(20) });
