import type { AttributeRule, Grammar } from './filter';

const number = (column: string): AttributeRule => ({ column, kind: 'number' });
const text = (column: string): AttributeRule => ({ column, kind: 'text' });
const list = (column: string): AttributeRule => ({ column, kind: 'text', lists: true });

/** The second names of an attribute are what MLflow's own pages write. */
export const RUN_GRAMMAR: Grammar = {
  entities: ['attribute', 'metric', 'param', 'tag', 'dataset'],
  attributes: new Map([
    ['run_id', list('run_id')],
    ['run_name', text('name')],
    ['run name', text('name')],
    ['Run name', text('name')],
    ['Run Name', text('name')],
    ['user_id', text('user_id')],
    ['status', text('status')],
    ['artifact_uri', text('artifact_uri')],
    ['start_time', number('start_time')],
    ['created', number('start_time')],
    ['Created', number('start_time')],
    ['end_time', number('end_time')],
  ]),
  datasetKeys: ['name', 'digest', 'context'],
};

export const EXPERIMENT_GRAMMAR: Grammar = {
  entities: ['attribute', 'tag'],
  attributes: new Map([
    ['name', text('name')],
    ['experiment_id', list('experiment_id')],
    ['creation_time', number('creation_time')],
    ['last_update_time', number('last_update_time')],
  ]),
};

export const LOGGED_MODEL_GRAMMAR: Grammar = {
  entities: ['attribute', 'metric', 'param', 'tag'],
  listsOfPairs: true,
  attributes: new Map([
    ['name', list('name')],
    ['model_id', list('model_id')],
    ['model_type', list('model_type')],
    ['status', list('status')],
    ['source_run_id', list('source_run_id')],
    ['creation_timestamp', number('creation_time')],
    ['creation_timestamp_ms', number('creation_time')],
    ['creation_time', number('creation_time')],
    ['last_updated_timestamp', number('last_update_time')],
    ['last_updated_timestamp_ms', number('last_update_time')],
    ['last_updated_time', number('last_update_time')],
  ]),
};
