import type { RowPiece } from './payload-rows';

export interface CutWindows {
  /** Each adds up, the first with what was there before, to exactly the rows of a window. */
  readonly full: readonly (readonly RowPiece[])[];
  /** What the window that stays open gets. */
  readonly rest: readonly RowPiece[];
}

/**
 * Deals pieces into windows in their order; one that does not fit whole is split.
 *
 * @param rowsOpen what the open window holds already, less than `windowRows`
 */
export function cutWindows(pieces: readonly RowPiece[], rowsOpen: number, windowRows: number): CutWindows {
  const full: RowPiece[][] = [];
  let gathered: RowPiece[] = [];
  let missing = windowRows - rowsOpen;
  for (const piece of pieces) {
    for (let start = 0; start < piece.rows;) {
      const part = partOf(piece, start, Math.min(piece.rows, start + missing));
      gathered.push(part);
      start += part.rows;
      missing -= part.rows;
      if (missing === 0) {
        full.push(gathered);
        gathered = [];
        missing = windowRows;
      }
    }
  }
  return { full, rest: gathered };
}

/** The first rows of a piece. */
export function headOf(piece: RowPiece, rowsMax: number): RowPiece {
  return partOf(piece, 0, Math.min(piece.rows, rowsMax));
}

function partOf(piece: RowPiece, start: number, end: number): RowPiece {
  if (start === 0 && end === piece.rows) return piece;
  return {
    ...piece,
    firstRow: piece.firstRow + start,
    rows: end - start,
    columns: piece.columns.map((cells) => cells.slice(start, end)),
    predictions: piece.predictions.slice(start, end),
  };
}
