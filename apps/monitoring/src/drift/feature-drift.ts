import type { DriftMethod, DriftMode, FeatureKind, FeatureResult, MonitoredFeature } from '@mledger/contracts';
import { adjustedPValues } from './benjamini-hochberg';
import { binnedCounts, categoryCounts, type BinnedCounts } from './bins';
import { chiSquaredOfExpected, chiSquaredOfHomogeneity } from './chi-squared';
import { jensenShannon } from './jensen-shannon';
import { kolmogorovSmirnov } from './kolmogorov-smirnov';
import { meanOf } from './moments';
import { populationStability } from './population-stability';
import { categoricalSample, numericSample, sizeOf, type Cell, type Sample } from './sample';
import { normalisedWasserstein } from './wasserstein';

/** Which methods can compare features of a kind. */
export const METHODS_OF: Readonly<Record<FeatureKind, readonly DriftMethod[]>> = {
  numeric: ['wasserstein', 'ks', 'psi', 'js', 'chi2'],
  categorical: ['js', 'psi', 'chi2'],
};

/** Evidently's: up to this many reference rows a test, above it a distance. */
const TEST_ROWS_MAX = 1_000;
/** Evidently's: a numeric feature with no more distinct values is compared as categories. */
const FEW_DISTINCT_MAX = 5;

/** Whether the method's threshold is one of p-values. */
export function isTest(method: DriftMethod): boolean {
  return method === 'ks' || method === 'chi2';
}

/** Evidently's choice among the methods offered, by what is known of the reference. */
export function usualMethod(kind: FeatureKind, reference: { rows: number; distinct: number }): DriftMethod {
  const continuous = kind === 'numeric' && reference.distinct > FEW_DISTINCT_MAX;
  if (reference.rows <= TEST_ROWS_MAX) return continuous ? 'ks' : 'chi2';
  return continuous ? 'wasserstein' : 'js';
}

export function usualThreshold(method: DriftMethod): number {
  return isTest(method) ? 0.05 : 0.1;
}

export function sampleOf(kind: FeatureKind, cells: readonly Cell[]): Sample {
  return kind === 'numeric' ? numericSample(cells) : categoricalSample(cells);
}

/** Compares one feature of a window with the reference; what needs the other features is left to {@link judged}. */
export function compareFeature(
  feature: MonitoredFeature,
  samples: { reference: Sample; current: Sample },
  mode: DriftMode,
): FeatureResult {
  const { current } = samples;
  const reference = inPrecisionOf(current, samples.reference);
  const figures = figuresOf(feature, reference, current, mode);
  return {
    feature: feature.feature,
    kind: feature.kind,
    method: feature.method,
    ...figures,
    adjustedPValue: null,
    threshold: feature.threshold,
    drifted: driftedAlone(feature, figures, { reference, current }),
    rowsReference: sizeOf(reference),
    rowsCurrent: sizeOf(current),
    meanReference: reference.kind === 'numeric' ? meanOf(reference.sorted) : null,
    meanCurrent: current.kind === 'numeric' ? meanOf(current.sorted) : null,
  };
}

/** In sound mode tests are judged together, so that more features do not mean more false alarms. */
export function judged(results: readonly FeatureResult[], mode: DriftMode): FeatureResult[] {
  if (mode === 'evidently') return [...results];
  const tests = results.filter(({ pValue }) => pValue !== null);
  const adjusted = adjustedPValues(tests.map(({ pValue, threshold }) => ({ pValue: pValue!, level: threshold })));
  return results.map((result) => {
    const index = tests.indexOf(result);
    if (index < 0) return result;
    return { ...result, adjustedPValue: adjusted[index]!, drifted: adjusted[index]! <= result.threshold };
  });
}

type Figures = Pick<FeatureResult, 'statistic' | 'pValue' | 'bins'>;

function figuresOf(feature: MonitoredFeature, reference: Sample, current: Sample, mode: DriftMode): Figures {
  if (sizeOf(reference) === 0 || sizeOf(current) === 0) return { statistic: null, pValue: null, bins: null };
  const { method } = feature;
  if (method === 'wasserstein' || method === 'ks') {
    if (reference.kind !== 'numeric' || current.kind !== 'numeric') throw new Error(`${method} compares numbers`);
    if (method === 'ks') return { ...kolmogorovSmirnov(reference.sorted, current.sorted), bins: null };
    return { statistic: normalisedWasserstein(reference.sorted, current.sorted), pValue: null, bins: null };
  }
  const counts = countsFor(feature, reference, current, mode);
  const bins = counts.reference.length;
  if (method === 'psi') return { statistic: populationStability(counts), pValue: null, bins };
  if (method === 'js') return { statistic: jensenShannon(counts), pValue: null, bins };
  const test = mode === 'evidently' ? chiSquaredOfExpected(counts) : chiSquaredOfHomogeneity(counts);
  return { ...test, bins };
}

/** Evidently ignores a number of bins that it is asked for, and tests χ² over single values however many there are. */
function countsFor(feature: MonitoredFeature, reference: Sample, current: Sample, mode: DriftMode): BinnedCounts {
  if (mode === 'sound') return binnedCounts(reference, current, feature.bins);
  return feature.method === 'chi2' ? categoryCounts(reference, current) : binnedCounts(reference, current, null);
}

function driftedAlone(
  { method, threshold }: MonitoredFeature,
  { statistic, pValue }: Figures,
  { reference, current }: { reference: Sample; current: Sample },
): boolean {
  // A feature that is gone, or was never there before, is not what the reference was.
  if (statistic === null) return sizeOf(reference) !== sizeOf(current);
  if (method === 'ks') return pValue! <= threshold;
  if (method === 'chi2') return pValue! < threshold;
  return statistic >= threshold;
}

/**
 * Values that passed through a float32 tensor were rounded; 0.1 of the reference must be the same number as theirs, or
 * tests that look at ties see two values where there is one.
 */
function inPrecisionOf(current: Sample, reference: Sample): Sample {
  if (current.kind !== 'numeric' || reference.kind !== 'numeric') return reference;
  const isSingle = current.sorted.every((value) => Math.fround(value) === value);
  return isSingle ? { kind: 'numeric', sorted: reference.sorted.map(toSingle) } : reference;
}

function toSingle(value: number): number {
  const single = Math.fround(value);
  return Number.isFinite(single) ? single : value;
}
