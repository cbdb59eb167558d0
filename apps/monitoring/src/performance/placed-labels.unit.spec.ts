import { placeLabels, type SeenRows } from './placed-labels';

const seen = (change: Partial<SeenRows> = {}): SeenRows => ({
  ...{ monitorId: 'm1', requestId: 'a', firstRow: 0, rows: 3, requestRows: 3, windowId: null, judged: false },
  ...change,
});
const label = (requestId: string, row: number, value = 1) => ({ requestId, row, label: value });

describe('labels', () => {
  it('are awaited where a window may still be judged by them, the last for a row', () => {
    const placed = placeLabels([label('a', 0), label('b', 7), label('a', 0, 2)], [seen()]);
    expect(placed).toEqual({
      awaited: [label('a', 0, 2), label('b', 7)],
      judged: [],
      unknownRequests: ['b'],
      fault: undefined,
    });
  });

  it('come too late when every monitor that has the row has judged it', () => {
    const first = seen({ rows: 2, windowId: 'w1', judged: true });
    const split = [first, seen({ firstRow: 2, rows: 1 })];
    const labels = [label('a', 1), label('a', 2)];
    expect(placeLabels(labels, split)).toMatchObject({ awaited: [label('a', 2)], judged: [label('a', 1)] });
    const other = seen({ monitorId: 'm2', windowId: 'w2' });
    expect(placeLabels(labels, [...split, other])).toMatchObject({ awaited: labels, judged: [] });
  });

  it('are at fault for a row that their request has not', () => {
    expect(placeLabels([label('a', 2), label('a', 3)], [seen()]).fault).toBe(
      '1.row: there is no row 3, as request a has 3 of them, counted from 0',
    );
    // Of a larger request only the first rows were gathered, or the last; how many it has is known all the same.
    const part = seen({ firstRow: 2, rows: 2, requestRows: 9 });
    expect(placeLabels([label('a', 8)], [part]).fault).toBeUndefined();
    expect(placeLabels([label('a', 9)], [part]).fault).toContain('9 of them');
    // A monitor that counts by another input may know of more.
    expect(placeLabels([label('a', 8)], [seen(), seen({ monitorId: 'm2', requestRows: 9 })]).fault).toBeUndefined();
    expect(placeLabels([label('a', 9)], [seen({ requestRows: null })]).fault).toBeUndefined();
  });
});
