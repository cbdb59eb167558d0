import fc from 'fast-check';
import { areaUnderCurve } from './area-under-curve';
import { performanceOf } from './predictive-performance';

describe('performance', () => {
  it('is the share of right answers, scores rounded to the nearer one', () => {
    const labelled = [
      { prediction: 0.7, label: 1 },
      { prediction: 0.2, label: true },
      { prediction: 1, label: true },
      { prediction: true, label: '1' },
      { prediction: 'cat', label: 'cat' },
      { prediction: 2, label: '2' },
      { prediction: 'dog', label: 'cat' },
      { prediction: null, label: 1 },
    ];
    expect(performanceOf('accuracy', labelled)).toBeCloseTo(5 / 7, 12);
  });

  it.each([
    [1, 'true'],
    [0, 'false'],
    [1, true],
    ['true', true],
    [false, 'false'],
    [0.9, 'true'],
    [0.1, 'false'],
    [0.1, 'False'],
    [1, 'True'],
  ])('takes %j and %j for the same answer, in whatever type', (prediction, label) => {
    expect(performanceOf('accuracy', [{ prediction, label }])).toBe(1);
    const other = /true/i.test(String(label)) ? 'false' : 'true';
    expect(performanceOf('accuracy', [{ prediction, label: other }])).toBe(0);
  });

  it('is nothing where nothing was predicted or all labels are alike', () => {
    expect(performanceOf('accuracy', [{ prediction: null, label: 1 }])).toBeNull();
    expect(performanceOf('auc', [{ prediction: 0.3, label: 1 }])).toBeNull();
    expect(performanceOf('auc', [])).toBeNull();
    const scores = [0.3, 0.7].map((prediction, row) => ({ prediction, label: row === 1 ? 'True' : 'False' }));
    expect(performanceOf('auc', scores)).toBe(1);
  });

  it('AUC is the share of pairs in the right order, ties counting half', () => {
    const answers = fc.array(fc.record({ score: fc.integer({ min: 0, max: 9 }), positive: fc.boolean() }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(answers, (rows) => {
        const pairs = rows
          .filter(({ positive }) => positive)
          .flatMap((yes) => rows.filter(({ positive }) => !positive).map((no) => Math.sign(yes.score - no.score)));
        const expected =
          pairs.length === 0 ? null : pairs.reduce((sum, sign) => sum + (sign + 1) / 2, 0) / pairs.length;
        const found = areaUnderCurve(
          rows.map(({ score }) => score),
          rows.map(({ positive }) => positive),
        );
        if (expected === null) expect(found).toBeNull();
        else expect(found).toBeCloseTo(expected, 12);
      }),
    );
  });
});
