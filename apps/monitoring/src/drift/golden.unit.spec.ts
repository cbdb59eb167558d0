import { areaUnderCurve } from '../performance/area-under-curve';
import { compareFeature } from './feature-drift';
import { adjustedPValues } from './benjamini-hochberg';
import { binEdges } from './bins';
import { upperGamma } from './incomplete-gamma';
import { kolmogorovSmirnov } from './kolmogorov-smirnov';
import { categoricalSample, numericSample, type Sample } from './sample';
import type { DriftMethod, FeatureKind } from '@mledger/contracts';

// The vectors of Evidently 0.7 and scipy 1.17.
const REFERENCE = numericSample(Array.from({ length: 500 }, (_, i) => ((i * 7919) % 1000) / 100));
const CURRENT = numericSample(Array.from({ length: 400 }, (_, i) => ((i * 6101) % 1000) / 100 + 0.5));
const categories = (counts: Record<string, number>): Sample =>
  categoricalSample(Object.entries(counts).flatMap(([category, count]) => Array<string>(count).fill(category)));

const compared = (method: DriftMethod, kind: FeatureKind, reference: Sample, current: Sample) =>
  compareFeature({ feature: 'x', kind, method, threshold: 0.1, bins: null }, { reference, current }, 'evidently');

describe('Evidently’s vectors, to 1e-8', () => {
  it.each([
    ['wasserstein', 0.16948702],
    ['psi', 0.0950341],
    ['js', 0.1075181],
  ] as const)('%s of numbers', (method, expected) => {
    expect(compared(method, 'numeric', REFERENCE, CURRENT).statistic).toBeCloseTo(expected, 8);
  });

  it('KS of numbers', () => {
    const { statistic, pValue } = compared('ks', 'numeric', REFERENCE, CURRENT);
    expect(statistic).toBeCloseTo(0.058, 12);
    expect(pValue).toBeCloseTo(0.42776443, 8);
  });

  it('χ², JS and PSI of categories', () => {
    const reference = categories({ a: 50, b: 30, c: 20 });
    const current = categories({ a: 40, b: 30, c: 25 });
    expect(compared('chi2', 'categorical', reference, current).pValue).toBeCloseTo(0.20619203, 8);
    expect(compared('js', 'categorical', reference, current).statistic).toBeCloseTo(0.06288772, 8);
    expect(compared('psi', 'categorical', reference, current).statistic).toBeCloseTo(0.03170987, 8);
  });

  it('χ², JS and PSI with a category that the reference never had', () => {
    const reference = categories({ a: 50, b: 30, c: 20 });
    const current = categories({ a: 40, b: 30, c: 25, d: 5 });
    expect(compared('chi2', 'categorical', reference, current).pValue).toBe(0);
    expect(compared('js', 'categorical', reference, current).statistic).toBeCloseTo(0.14664229, 8);
    expect(compared('psi', 'categorical', reference, current).statistic).toBeCloseTo(0.34358048, 8);
  });
});

describe('scipy’s ks_2samp', () => {
  const one = (n: number) => numericSample(Array.from({ length: n }, (_, i) => ((i * 7919) % 10007) / 10007)).sorted;
  const other = (m: number, shift: number) =>
    numericSample(Array.from({ length: m }, (_, i) => ((i * 6101) % 10009) / 10009 + shift / 3)).sorted;

  it.each([
    [50, 50, 0.5, 0.18, 0.3959398631708505],
    [1000, 1000, 0.1, 0.035, 0.5728904395829821],
    [9000, 9000, 0.05, 0.016888888888888887, 0.15344776842228505],
    [7, 5, 1, 0.3142857142857143, 0.8383838383838382],
    [5000, 4000, 0.04, 0.0138, 0.7858610518993582],
    [4000, 5000, 0.05, 0.01705, 0.5325219452272791],
    [10000, 9999, 0.03, 0.010104770477047704, 0.6815837474016653],
    [200, 200, 2, 0.665, 3.300428027316528e-42],
  ])('%i against %i values, shifted by a third of %d: exact', (n, m, shift, statistic, pValue) => {
    const test = kolmogorovSmirnov(one(n), other(m, shift));
    expect(test.statistic).toBeCloseTo(statistic, 12);
    expect(test.pValue).toBeCloseTo(pValue, 9);
  });

  it.each([
    [12000, 3000, 0.03, 0.9514501846189147],
    [50000, 4000, 0.02, 0.991833013003308],
    [50000, 200, 0.1, 0.9399554298009226],
  ])('%i against %i values: that of one sample', (n, m, shift, pValue) => {
    expect(kolmogorovSmirnov(one(n), other(m, shift)).pValue).toBeCloseTo(pValue, 8);
  });
});

describe('scipy’s chi2.sf', () => {
  it.each([
    [1, 0.1, 0.7518296340458492],
    [1, 100, 1.5239706048320995e-23],
    [2, 5, 0.0820849986238988],
    [3, 20, 0.00016974243555282632],
    [10, 5, 0.8911780189141513],
    [15, 20, 0.17193268937660083],
    [99, 100, 0.4529585113209314],
    [99, 300, 4.2266534644194534e-22],
    [200, 300, 5.924540335483916e-6],
    [200, 5, 1],
  ])('%i degrees of freedom at %d', (degrees, x, expected) => {
    const q = upperGamma(degrees / 2, x / 2);
    expect(Math.abs(q - expected)).toBeLessThan(expected * 1e-10);
  });
});

describe('numpy’s Sturges bins', () => {
  it.each([
    [1000, 11],
    [1024, 11],
    [1025, 12],
    [900, 11],
    [1, 1],
  ])('%i values, %i bins', (count, bins) => {
    const values = Float64Array.from({ length: count }, (_, i) => i);
    expect(binEdges(values, new Float64Array(0), null)).toHaveLength(bins + 1);
  });

  it('widens a range of no width by a half', () => {
    expect([...binEdges(Float64Array.of(3, 3), Float64Array.of(3), null)]).toEqual([2.5, 3.5]);
  });
});

describe('statsmodels’ multipletests, fdr_bh', () => {
  it('adjusts p-values', () => {
    const pValues = [0.01, 0.04, 0.03, 0.005, 0.9];
    const adjusted = adjustedPValues(pValues.map((pValue) => ({ pValue, level: 0.05 })));
    [0.025, 0.05, 0.05, 0.025, 0.9].forEach((expected, index) => expect(adjusted[index]).toBeCloseTo(expected, 12));
  });
});

describe('scikit-learn’s roc_auc_score', () => {
  it('counts ties half', () => {
    expect(areaUnderCurve([0.1, 0.4, 0.35, 0.8], [false, false, true, true])).toBe(0.75);
    expect(areaUnderCurve([0.5, 0.5, 0.5, 0.5], [false, true, false, true])).toBe(0.5);
    expect(areaUnderCurve([0.2, 0.3], [true, true])).toBeNull();
  });
});
