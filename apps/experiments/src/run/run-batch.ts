import type { MetricPoint } from '@mledger/contracts';
import type { KeyValue } from '../key-values';
import { keyFault, truncateCharacters } from '../names';

/** What one log-batch may hold; MLflow's own limits. */
export const BATCH_METRICS_MAX = 1000;
export const BATCH_PARAMS_MAX = 100;
export const BATCH_TAGS_MAX = 100;
export const BATCH_ITEMS_MAX = 1000;

const PARAM_VALUE_CHARACTERS_MAX = 6000;
const TAG_VALUE_CHARACTERS_MAX = 8000;

export interface RunBatch {
  readonly params: readonly KeyValue[];
  readonly metrics: readonly MetricPoint[];
  readonly tags: readonly KeyValue[];
}

/** Values over the limit are cut, as MLflow's server does by default; keys over the limit are a fault instead. */
export function truncateValues(batch: RunBatch): RunBatch {
  return {
    metrics: batch.metrics,
    params: batch.params.map(({ key, value }) => ({
      key,
      value: truncateCharacters(value, PARAM_VALUE_CHARACTERS_MAX),
    })),
    tags: batch.tags.map(truncateTag),
  };
}

export function truncateTag({ key, value }: KeyValue): KeyValue {
  return { key, value: truncateCharacters(value, TAG_VALUE_CHARACTERS_MAX) };
}

/** Why a batch is refused whole, or undefined when it is fine. */
export function batchFault(batch: RunBatch): string | undefined {
  return countFault(batch) ?? keysFault(batch) ?? metricsFault(batch.metrics) ?? duplicateParamFault(batch.params);
}

function countFault({ metrics, params, tags }: RunBatch): string | undefined {
  const counts = [
    { what: 'metrics', count: metrics.length, max: BATCH_METRICS_MAX },
    { what: 'params', count: params.length, max: BATCH_PARAMS_MAX },
    { what: 'tags', count: tags.length, max: BATCH_TAGS_MAX },
    { what: 'metrics, params, and tags', count: metrics.length + params.length + tags.length, max: BATCH_ITEMS_MAX },
  ];
  const over = counts.find(({ count, max }) => count > max);
  return (
    over &&
    `A batch logging request can contain at most ${over.max} ${over.what}. Got ${over.count} ${over.what}. ` +
      `Please split up ${over.what} across multiple requests and try again.`
  );
}

function keysFault(batch: RunBatch): string | undefined {
  for (const list of ['metrics', 'params', 'tags'] as const) {
    for (const [index, { key }] of batch[list].entries()) {
      const fault = keyFault(key);
      if (fault)
        return `Invalid value ${JSON.stringify(key)} for parameter '${list}[${index}].key' supplied: ${fault}.`;
    }
  }
  return undefined;
}

function metricsFault(metrics: readonly MetricPoint[]): string | undefined {
  const index = metrics.findIndex(({ timestamp }) => timestamp < 0);
  return index < 0
    ? undefined
    : `Invalid value ${metrics[index]?.timestamp} for parameter 'metrics[${index}].timestamp' supplied: it must not be negative.`;
}

function duplicateParamFault(params: readonly KeyValue[]): string | undefined {
  const seen = new Set<string>();
  const duplicates = params.map(({ key }) => key).filter((key) => seen.has(key) || !seen.add(key));
  return duplicates.length === 0
    ? undefined
    : `Duplicate parameter keys have been submitted: ${JSON.stringify(duplicates)}. ` +
        'Please ensure the request contains only one param value per param key.';
}
