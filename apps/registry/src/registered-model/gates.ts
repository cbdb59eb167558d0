import type { MetricObservation, PromotionGate } from '@mledger/contracts';

/** What is known of a promotion's two sides when its gates are held against them. */
export interface GateEvidence {
  /** Every version whose metrics were looked up; one that is missing here was not asked about. */
  readonly versions: readonly number[];
  readonly observations: readonly (MetricObservation & { readonly metric: string })[];
}

export interface GateResult {
  readonly gate: PromotionGate;
  readonly passed: boolean;
  readonly observed: MetricObservation | null;
  readonly champion: MetricObservation | null;
  readonly threshold: number | null;
  readonly explanation: string;
}

/** Holds one gate against the evidence. What cannot be compared does not pass, except where nobody holds the alias. */
export function evaluateGate(
  gate: PromotionGate,
  sides: { readonly version: number; readonly champion: number | null },
  evidence: GateEvidence,
): GateResult {
  const observed = find(evidence, sides.version, gate.metric);
  if (gate.notWorseThanChampion) return againstChampion(gate, gate.notWorseThanChampion, sides, observed, evidence);
  const [threshold, holds, meets, misses] =
    gate.atLeast !== undefined
      ? [gate.atLeast, (value: number) => value >= gate.atLeast!, 'at least', 'below']
      : [gate.atMost!, (value: number) => value <= gate.atMost!, 'at most', 'above'];
  const result = { gate, observed, champion: null, threshold };
  if (observed === null) return { ...result, passed: false, explanation: unrecorded(gate.metric, sides.version) };
  const passed = typeof observed.value === 'number' && holds(observed.value);
  return {
    ...result,
    passed,
    explanation: `${gate.metric} is ${observed.value}, ${passed ? meets : misses} ${threshold}`,
  };
}

function againstChampion(
  gate: PromotionGate,
  { tolerance, lowerIsBetter }: NonNullable<PromotionGate['notWorseThanChampion']>,
  sides: { readonly version: number; readonly champion: number | null },
  observed: MetricObservation | null,
  evidence: GateEvidence,
): GateResult {
  const champion = sides.champion === null ? null : find(evidence, sides.champion, gate.metric);
  const result = { gate, observed, champion, threshold: null };
  if (observed === null) return { ...result, passed: false, explanation: unrecorded(gate.metric, sides.version) };
  if (typeof observed.value !== 'number') {
    return {
      ...result,
      passed: false,
      explanation: `${gate.metric} is ${observed.value}, which compares with nothing`,
    };
  }
  if (sides.champion === null) {
    return {
      ...result,
      passed: true,
      explanation: `${gate.metric} is ${observed.value}, and there is no champion yet`,
    };
  }
  if (champion === null || typeof champion.value !== 'number') {
    const reason = champion ? `is ${champion.value}` : 'was never recorded';
    const explanation = `${gate.metric} of the champion, version ${sides.champion}, ${reason}: log it, then ask again`;
    return { ...result, passed: false, explanation };
  }
  const threshold = lowerIsBetter ? champion.value + tolerance : champion.value - tolerance;
  const passed = lowerIsBetter ? observed.value <= threshold : observed.value >= threshold;
  const explanation =
    `${gate.metric} is ${observed.value}, ${passed ? 'not worse' : 'worse'} than the champion's ${champion.value} ` +
    `(version ${champion.version}, tolerance ${tolerance})`;
  return { ...result, threshold, passed, explanation };
}

function find(evidence: GateEvidence, version: number, metric: string): MetricObservation | null {
  const found = evidence.observations.find((one) => one.version === version && one.metric === metric);
  if (found === undefined) return null;
  const { value, runId, step, timestampMs, eventId } = found;
  return { version, value, runId, step, timestampMs, eventId };
}

function unrecorded(metric: string, version: number): string {
  return `${metric} was never recorded for version ${version}: log it to its run or its logged model, then ask again`;
}
