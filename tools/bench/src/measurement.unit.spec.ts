import { closedLoop } from './closed-loop';
import { formatTable, formatValue } from './measurement';

describe('figures', () => {
  it.each([
    [0, '0'],
    [0.001234, '0.00123'],
    [1.5, '1.5'],
    [12.345, '12.3'],
    [98_765.4, '98,765'],
  ])('%d is written %s', (value, text) => expect(formatValue(value)).toBe(text));

  it('stand in a table, beside the peer where there is one', () => {
    const common = { suite: 's', unit: 'events/s', conditions: 'here' };
    const table = formatTable([
      { ...common, name: 'appends', value: 1_000 },
      { ...common, name: 'reads', value: 300, peer: 'other', peerValue: 150, ratio: 2 },
    ]);
    expect(table.split('\n')).toEqual([
      'figure   value  unit      peer   its value  ratio  note',
      '───────  ─────  ────────  ─────  ─────────  ─────  ────',
      'appends  1,000  events/s                           1',
      'reads      300  events/s  other  150        2      1',
      '',
      '1: here',
    ]);
  });
});

describe('a closed loop', () => {
  it('sends the next request of a caller when the last was answered, until the time is over', async () => {
    const underWay = new Set<number>();
    let requests = 0;
    const result = await closedLoop({
      callers: 3,
      warmUpSeconds: 0,
      seconds: 0.05,
      work: async (caller) => {
        expect(underWay.has(caller)).toBe(false);
        underWay.add(caller);
        requests += 1;
        await new Promise((resolve) => setTimeout(resolve, 1));
        underWay.delete(caller);
      },
    });
    expect(result.count).toBeGreaterThan(0);
    expect(result.count).toBeLessThanOrEqual(requests);
    expect(result.latencyMs.p50).toBeLessThanOrEqual(result.latencyMs.p99);
  });
});
