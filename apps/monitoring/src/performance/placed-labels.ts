import type { Label } from './predictive-performance';

export interface LabelledRow {
  readonly requestId: string;
  readonly row: number;
  readonly label: Label;
}

/** Consecutive rows of a request as one monitor has them in one window. */
export interface SeenRows {
  readonly monitorId: string;
  readonly requestId: string;
  readonly firstRow: number;
  readonly rows: number;
  /** Of the whole request; null where it was gathered before that was kept. */
  readonly requestRows: number | null;
  /** Null while the window is open. */
  readonly windowId: string | null;
  readonly judged: boolean;
}

export interface PlacedLabels {
  /** Those that a window may still be judged by; of several for a row the last. */
  readonly awaited: readonly LabelledRow[];
  /** Those of rows that every monitor which has them has judged. */
  readonly judged: readonly LabelledRow[];
  readonly unknownRequests: readonly string[];
  /** A label for a row that its request is known not to have. */
  readonly fault: string | undefined;
}

/** Where labels belong, by what monitors have of their requests. */
export function placeLabels(labels: readonly LabelledRow[], seen: readonly SeenRows[]): PlacedLabels {
  const byRequest = new Map<string, SeenRows[]>();
  for (const piece of seen) {
    const pieces = byRequest.get(piece.requestId);
    if (pieces) pieces.push(piece);
    else byRequest.set(piece.requestId, [piece]);
  }
  const isJudged = ({ requestId, row }: LabelledRow) => {
    const own = (byRequest.get(requestId) ?? []).filter(
      ({ firstRow, rows }) => firstRow <= row && row < firstRow + rows,
    );
    return own.length > 0 && own.every(({ judged }) => judged);
  };
  const awaited: LabelledRow[] = [];
  const judged: LabelledRow[] = [];
  for (const label of new Map(labels.map((each) => [`${each.requestId}/${each.row}`, each])).values()) {
    (isJudged(label) ? judged : awaited).push(label);
  }
  const unknownRequests = [...new Set(labels.map(({ requestId }) => requestId))].filter((id) => !byRequest.has(id));
  return { awaited, judged, unknownRequests, fault: faultOfRows(labels, byRequest) };
}

function faultOfRows(
  labels: readonly LabelledRow[],
  byRequest: ReadonlyMap<string, readonly SeenRows[]>,
): string | undefined {
  for (const [index, { requestId, row }] of labels.entries()) {
    // Two monitors may count by different inputs.
    const counts = (byRequest.get(requestId) ?? []).map(({ requestRows }) => requestRows ?? Number.POSITIVE_INFINITY);
    const rows = Math.max(...counts);
    if (counts.length > 0 && row >= rows)
      return `${index}.row: there is no row ${row}, as request ${requestId} has ${rows} of them, counted from 0`;
  }
  return undefined;
}
