import type { PerformanceMetric } from '@mledger/contracts';
import type { Cell } from '../drift/sample';
import { areaUnderCurve } from './area-under-curve';

export interface LabelledPrediction {
  readonly prediction: Cell;
  readonly label: Label;
}
export type Label = number | string | boolean;

/** A score at or above this says yes, where accuracy is asked of scores. */
const SCORE_YES_MIN = 0.5;
const YES = '1';
const NO = '0';

/** Null where nothing can be said: no predictions, or for an AUC labels of one class. */
export function performanceOf(metric: PerformanceMetric, labelled: readonly LabelledPrediction[]): number | null {
  const known = labelled.filter(({ prediction }) => prediction !== null);
  if (metric === 'auc') {
    const scored = known.filter(({ prediction }) => typeof prediction !== 'string');
    return areaUnderCurve(
      scored.map(({ prediction }) => Number(prediction)),
      scored.map(({ label }) => classOf(label) === YES),
    );
  }
  if (known.length === 0) return null;
  return known.filter(({ prediction, label }) => isRight(prediction, label)).length / known.length;
}

/** A score between no and yes is taken for the answer it is nearer to; anything else has to be the label itself. */
function isRight(prediction: Cell, label: Label): boolean {
  if (typeof prediction === 'number' && !Number.isInteger(prediction)) {
    return prediction >= SCORE_YES_MIN === (classOf(label) === YES);
  }
  return classOf(prediction) === classOf(label);
}

/** Models answer 1 where labels say true, "1", or what Python writes of it: "True". */
function classOf(value: Cell): string {
  const text = String(value);
  const lower = text.toLowerCase();
  if (lower === 'true') return YES;
  return lower === 'false' ? NO : text;
}
