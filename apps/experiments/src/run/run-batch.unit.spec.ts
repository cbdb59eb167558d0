import { batchFault, truncateValues, type RunBatch } from './run-batch';

const batch = (part: Partial<RunBatch>): RunBatch => ({ params: [], metrics: [], tags: [], ...part });
const metrics = (count: number) =>
  Array.from({ length: count }, (_, step) => ({ key: 'loss', value: 1, timestamp: 0, step }));
const pairs = (count: number) => Array.from({ length: count }, (_, index) => ({ key: `k${index}`, value: 'v' }));

describe('the limits of a batch', () => {
  it.each([
    [batch({ metrics: metrics(1000) }), undefined],
    [batch({ metrics: metrics(1001) }), 'at most 1000 metrics. Got 1001'],
    [batch({ params: pairs(100), tags: pairs(100), metrics: metrics(800) }), undefined],
    [batch({ params: pairs(101) }), 'at most 100 params'],
    [batch({ tags: pairs(101) }), 'at most 100 tags'],
    [batch({ params: pairs(100), metrics: metrics(901) }), 'at most 1000 metrics, params, and tags'],
  ])('case %#', (given, fault) => {
    if (fault === undefined) expect(batchFault(given)).toBeUndefined();
    else expect(batchFault(given)).toContain(fault);
  });

  it('names the entry whose key or timestamp is refused', () => {
    const fault = batchFault(batch({ params: [...pairs(2), { key: 'a/../b', value: '' }] }));
    expect(fault).toContain("'params[2].key'");
    expect(batchFault(batch({ metrics: [{ key: 'a', value: 1, timestamp: -1, step: 0 }] }))).toContain(
      "'metrics[0].timestamp'",
    );
  });

  it('refuses a param that stands twice, even with one value', () => {
    expect(batchFault(batch({ params: [...pairs(1), ...pairs(1)] }))).toContain('["k0"]');
  });

  it('cuts long values, never through the middle of a character', () => {
    const emoji = '\u{1F680}';
    const cut = truncateValues(
      batch({ params: [{ key: 'a', value: emoji.repeat(6001) }], tags: [{ key: 'b', value: 'x'.repeat(8001) }] }),
    );
    expect(cut.params[0]?.value).toBe(emoji.repeat(6000));
    expect(cut.tags[0]?.value).toHaveLength(8000);
  });
});
