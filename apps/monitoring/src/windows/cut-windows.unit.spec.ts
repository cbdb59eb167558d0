import fc from 'fast-check';
import { cutWindows, headOf } from './cut-windows';
import type { RowPiece } from './payload-rows';

const piece = (request: number, rows: number): RowPiece => {
  const cells = Array.from({ length: rows }, (_, row) => `${request}/${row}`);
  return {
    requestId: String(request),
    time: 't',
    firstRow: 0,
    rows,
    requestRows: rows,
    columns: [cells],
    predictions: cells,
  };
};
const cellsOf = (pieces: readonly RowPiece[]) => pieces.flatMap(({ columns }) => columns[0]!);

describe('cutting rows into windows', () => {
  it('loses, repeats and reorders nothing, and fills each window exactly', () => {
    const sizes = fc.array(fc.nat(30), { maxLength: 30 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 40 }), fc.nat(), (rows, windowRows, open) => {
        const rowsOpen = open % windowRows;
        const pieces = rows.map((count, request) => piece(request, count));
        const { full, rest } = cutWindows(pieces, rowsOpen, windowRows);
        expect(cellsOf([...full.flat(), ...rest])).toEqual(cellsOf(pieces));
        full.forEach((window, index) => {
          expect(cellsOf(window)).toHaveLength(windowRows - (index === 0 ? rowsOpen : 0));
        });
        expect(cellsOf(rest).length + (full.length === 0 ? rowsOpen : 0)).toBeLessThan(windowRows);
      }),
    );
  });

  it('keeps of each part where it began, and its predictions', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.integer({ min: 1, max: 20 }), (rows, windowRows) => {
        const { full, rest } = cutWindows([piece(1, rows)], 0, windowRows);
        for (const part of [...full.flat(), ...rest]) {
          expect(part.columns[0]![0]).toBe(`1/${part.firstRow}`);
          expect(part.predictions).toEqual(part.columns[0]);
          expect(part.rows).toBe(part.predictions.length);
        }
      }),
    );
  });

  it('takes the head of a request that would fill too many', () => {
    expect(headOf(piece(1, 10), 3)).toMatchObject({ rows: 3, predictions: ['1/0', '1/1', '1/2'] });
    expect(headOf(piece(1, 2), 3).rows).toBe(2);
  });
});
