import type { MonitoredFeature, MonitorReference } from '@mledger/contracts';
import { ApiError } from '@mledger/service-kit';
import { isTest, METHODS_OF, sampleOf, usualMethod, usualThreshold } from '../drift/feature-drift';
import { distinctOf, sizeOf, type Cell } from '../drift/sample';
import type { MonitorDefinition } from '../monitor/monitor';
import type { ReferenceColumns } from '../reference/reference-profile';
import { REFERENCE_ROWS_MAX, type MonitorBody } from './monitors.schemas';

/** Values that a window may hold in all: each is read, sorted and compared when it closes. */
export const WINDOW_CELLS_MAX = 2_000_000;

export interface RequestedMonitor {
  readonly definition: Omit<MonitorDefinition, 'profile'>;
  /** Undefined: the reference is taken from payloads. */
  readonly columns: ReferenceColumns | undefined;
}

/**
 * What a client's monitor means: each feature with its method and threshold, and the reference's rows as far as they are
 * wanted.
 *
 * @throws ApiError 400 naming the feature at fault
 */
export function requestedMonitor(body: MonitorBody): RequestedMonitor {
  const { endpoint, windowRows, mode, driftShare, performance } = body;
  const names = body.features.map(({ feature }) => feature);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw ApiError.invalid(`features: ${repeated} stands twice`);
  if (windowRows * names.length > WINDOW_CELLS_MAX) {
    throw ApiError.invalid(
      `windowRows: ${names.length} features and ${windowRows} rows are over ${WINDOW_CELLS_MAX} values`,
    );
  }
  const { reference, columns } = referenceOf(body);
  const features = body.features.map((feature, index) =>
    monitoredFeature(feature, reference.rows, columns?.features[index]?.values),
  );
  return { definition: { endpoint, windowRows, mode, reference, features, driftShare, performance }, columns };
}

function referenceOf({ reference, features }: MonitorBody): {
  reference: MonitorReference;
  columns: ReferenceColumns | undefined;
} {
  if ('payloads' in reference) {
    return { reference: { from: 'payloads', rows: reference.payloads.rows }, columns: undefined };
  }
  const { repository, commit, paths, columns } = reference;
  const known = new Set(features.map(({ feature }) => feature));
  const stray = Object.keys(columns).find((name) => !known.has(name));
  if (stray !== undefined) throw ApiError.invalid(`reference.columns: ${stray} is not among the features`);
  const rows = columns[features[0]!.feature]?.length ?? 0;
  const taken = features.map(({ feature, kind }) => {
    const values = Object.hasOwn(columns, feature) ? columns[feature] : undefined;
    if (!values) throw ApiError.invalid(`reference.columns: ${feature} is missing`);
    if (values.length !== rows) {
      throw ApiError.invalid(
        `reference.columns: ${feature} has ${values.length} rows, ${features[0]!.feature} has ${rows}`,
      );
    }
    assertComparable(feature, kind, values);
    return { feature, kind, values };
  });
  if (rows > REFERENCE_ROWS_MAX) {
    throw ApiError.invalid(
      `reference.columns: ${rows} rows are over the limit of ${REFERENCE_ROWS_MAX}: send a sample`,
    );
  }
  return { reference: { from: 'commit', repository, commit, paths, rows }, columns: { features: taken } };
}

function assertComparable(feature: string, kind: MonitoredFeature['kind'], values: readonly Cell[]): void {
  const text = kind === 'numeric' ? values.findIndex((value) => typeof value === 'string') : -1;
  if (text >= 0) {
    throw ApiError.invalid(
      `reference.columns: ${feature} is numeric, but row ${text} holds ${JSON.stringify(values[text])}`,
    );
  }
  if (sizeOf(sampleOf(kind, values)) === 0) throw ApiError.invalid(`reference.columns: ${feature} has no values`);
}

function monitoredFeature(
  wanted: MonitorBody['features'][number],
  rows: number,
  values: readonly Cell[] | undefined,
): MonitoredFeature {
  const { feature, kind, bins } = wanted;
  // What will be served is not known yet; a numeric feature mostly has many values.
  const distinct = values ? distinctOf(sampleOf(kind, values)) : Number.POSITIVE_INFINITY;
  const method = wanted.method ?? usualMethod(kind, { rows, distinct });
  if (!METHODS_OF[kind].includes(method)) {
    throw ApiError.invalid(
      `features: ${method} does not compare ${kind} features such as ${feature}; ${METHODS_OF[kind].join(', ')} do`,
    );
  }
  if (bins !== null && (kind === 'categorical' || method === 'wasserstein' || method === 'ks')) {
    throw ApiError.invalid(`features: ${feature} is ${kind} and compared by ${method}, which takes no bins`);
  }
  const threshold = wanted.threshold ?? usualThreshold(method);
  if (isTest(method) && threshold >= 1) {
    throw ApiError.invalid(`features: the threshold of ${feature} is one of p-values, below 1`);
  }
  return { feature, kind, method, threshold, bins };
}
