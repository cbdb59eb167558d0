import type { DriftMode, FeatureResult, Performance } from '@mledger/contracts';

const FEATURES_NAMED_MAX = 5;

/** What an alert says of a window: the features that drifted, and by how much. */
export function alertMessage(drifting: readonly FeatureResult[], mode: DriftMode): string {
  const named = drifting.slice(0, FEATURES_NAMED_MAX).map((feature) => driftText(feature, mode));
  const more = drifting.length - named.length;
  return named.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

function driftText(result: FeatureResult, mode: DriftMode): string {
  const { feature, method, statistic, threshold, meanReference, meanCurrent } = result;
  if (statistic === null) {
    return result.rowsCurrent === 0 ? `${feature} has no values` : `${feature} has values, unlike the reference`;
  }
  const means =
    meanReference === null || meanCurrent === null ? '' : `, mean ${figure(meanReference)} → ${figure(meanCurrent)}`;
  if (result.pValue === null)
    return `${feature} drifted: ${method} ${figure(statistic)}, threshold ${threshold}${means}`;
  const pValue = mode === 'sound' ? result.adjustedPValue : result.pValue;
  return `${feature} drifted: ${method} p ${figure(pValue ?? result.pValue)}, threshold ${threshold}${means}`;
}

export function performanceText({ metric, value, labelled }: Performance, threshold: number): string {
  return `${metric} ${value === null ? 'unknown' : figure(value)} below ${threshold}, by ${labelled} labels`;
}

function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}
