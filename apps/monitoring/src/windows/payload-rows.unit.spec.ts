import type { MonitoredFeature, PayloadTensor, PerformanceTarget } from '@mledger/contracts';
import { PayloadIllShaped, rowsOf } from './payload-rows';

const features = (...names: string[]): MonitoredFeature[] =>
  names.map((feature) => ({ feature, kind: 'numeric', method: 'ks', threshold: 0.05, bins: null }));
const tensor = (name: string, shape: number[], data: PayloadTensor['data'], datatype = 'FP32'): PayloadTensor => ({
  ...{ name, shape, data, datatype },
});
const target = (metric: 'auc' | 'accuracy', output: string | null = null): PerformanceTarget => ({
  ...{ metric, output, atLeast: 0.5, labelledShare: 1 },
});
const read = (
  inputs: PayloadTensor[],
  outputs: PayloadTensor[],
  names = ['a', 'b'],
  performance: PerformanceTarget | null = null,
) => rowsOf({ requestId: 'r', time: 't' }, { inputs, outputs }, { features: features(...names), performance });

describe('a payload’s features', () => {
  it('are inputs by name, [N] and [N, 1] alike, whatever their order', () => {
    const { rows, columns } = read(
      [tensor('b', [2, 1], [3, 4]), tensor('a', [2], [1, 2]), tensor('z', [2], [0, 0])],
      [],
    );
    expect({ rows, columns }).toEqual({ rows: 2, columns: [[1, 2], [3, 4]] }); // prettier-ignore
  });

  it('are columns of the only input in the order of the definition', () => {
    expect(read([tensor('input', [2, 2], [1, 2, 3, 4])], []).columns).toEqual([[1, 3], [2, 4]]); // prettier-ignore
  });

  it('are missing where there is no such input, and no matrix as wide', () => {
    expect(read([tensor('a', [2], [1, 2])], []).columns).toEqual([[1, 2], [null, null]]); // prettier-ignore
    expect(read([tensor('input', [2, 3], [1, 2, 3, 4, 5, 6])], []).columns).toEqual([[null, null], [null, null]]); // prettier-ignore
  });

  it('may be non-finite, text, or whole numbers past 2^53', () => {
    const special = read([tensor('a', [3], ['NaN', '-Infinity', '9007199254740993'], 'INT64')], [], ['a']);
    expect(special.columns).toEqual([[null, null, 9007199254740992]]);
    expect(read([tensor('a', [2], ['NaN', '7'], 'BYTES')], [], ['a']).columns).toEqual([['NaN', '7']]);
  });

  it.each([
    ['a shape that does not match its data', [3]],
    ['a negative shape', [-2]],
    ['a shape that multiplies past memory', [2 ** 31, 2 ** 31]],
    ['half a row', [0.5, 4]],
    ['no dimension', []],
  ])('are refused with %s', (_what, shape) => {
    expect(() => read([tensor('a', shape, [1, 2])], [])).toThrow(PayloadIllShaped);
  });

  it('are counted without inputs of other rows, such as a threshold, in whatever order', () => {
    const [threshold, limit] = [tensor('threshold', [1], [0.5]), tensor('limit', [], [3])];
    const values = tensor('a', [2], [1, 2]);
    for (const inputs of [
      [values, threshold, limit],
      [limit, threshold, values],
    ]) {
      expect(read(inputs, [tensor('mean', [], [1.5])], ['a', 'threshold', 'limit'])).toMatchObject({
        rows: 2,
        columns: [
          [1, 2],
          [null, null],
          [null, null],
        ],
        predictions: [null, null],
      });
    }
  });
});

describe('a payload’s predictions', () => {
  const inputs = [tensor('a', [2], [1, 2])];
  const label = tensor('label', [2], [0, 1], 'INT64');
  const scores = tensor('probabilities', [2, 2], [0.9, 0.1, 0.2, 0.8]);
  const three = tensor('classes', [2, 3], [0.1, 0.2, 0.7, 0.5, 0.4, 0.1]);

  it.each([
    ['the second class of two, for an AUC', [label, scores], target('auc'), [0.1, 0.8]],
    ['the label, for accuracy', [scores, label], target('accuracy'), [0, 1]],
    ['the likeliest class, for accuracy of probabilities', [label, three], target('accuracy', 'classes'), [2, 0]],
    ['the output that is named', [label, scores], target('auc', 'label'), [0, 1]],
    ['a score without a target', [label, tensor('late', [2, 1], [0.3, 0.4])], null, [0.3, 0.4]],
    ['nothing of an output that is not there', [label], target('auc', 'other'), [null, null]],
    ['nothing of three classes, for an AUC', [three], target('auc'), [null, null]],
    ['nothing of an output of other rows', [tensor('late', [1], [0.5])], target('auc'), [null, null]],
    ['nothing of no output', [], null, [null, null]],
  ])('are %s', (_what, outputs, performance, expected) => {
    expect(read(inputs, outputs, ['a'], performance).predictions).toEqual(expected);
  });
});
