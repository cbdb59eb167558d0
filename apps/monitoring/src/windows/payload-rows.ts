import type { MonitoredFeature, PayloadTensor, PerformanceTarget, PredictionPayload } from '@mledger/contracts';
import type { Cell } from '../drift/sample';

/** Consecutive rows of one request, or a part of them. */
export interface RowPiece {
  readonly requestId: string;
  readonly time: string;
  /** Of the request: 0 unless it began in the window before. */
  readonly firstRow: number;
  readonly rows: number;
  /** Of the whole request. */
  readonly requestRows: number;
  /** In the order of the monitor's features, each of `rows` cells. */
  readonly columns: readonly (readonly Cell[])[];
  /** What was predicted for each row. */
  readonly predictions: readonly Cell[];
}

export type Tensors = Pick<PredictionPayload, 'inputs' | 'outputs'>;

/** A payload whose tensors do not hold what their shapes say. */
export class PayloadIllShaped extends Error {
  override readonly name = 'PayloadIllShaped';
}

/**
 * The rows of one request as a monitor sees them: a feature is an input of its name, or a column of the only input, `[N, F]`
 * in the order of the definition. A feature that is in neither is missing in every row, and so is one of an input with
 * other rows than that of the first: a model may take a threshold beside them, and the order of inputs is the client's.
 *
 * @throws {PayloadIllShaped}
 */
export function rowsOf(
  payload: Pick<PredictionPayload, 'requestId' | 'time'>,
  { inputs, outputs }: Tensors,
  monitor: { readonly features: readonly MonitoredFeature[]; readonly performance: PerformanceTarget | null },
): RowPiece {
  for (const tensor of [...inputs, ...outputs]) assertWhole(tensor);
  const [first = inputs[0]] = monitor.features.flatMap(
    ({ feature }) => inputs.find(({ name }) => name === feature) ?? [],
  );
  const rows = first?.shape[0] ?? 0;
  const matrix = matrixOf(inputs, monitor.features);
  const columns = monitor.features.map(({ feature }, index) => {
    const named = inputs.find(({ name }) => name === feature);
    if (named && named.shape[0] === rows && widthOf(named) === 1) return cellsOf(named, 0, rows);
    return matrix ? cellsOf(matrix, index, rows) : Array<Cell>(rows).fill(null);
  });
  const { requestId, time } = payload;
  return {
    requestId,
    time,
    firstRow: 0,
    rows,
    requestRows: rows,
    columns,
    predictions: predictionsOf(outputs, monitor.performance, rows),
  };
}

function matrixOf(inputs: readonly PayloadTensor[], features: readonly MonitoredFeature[]): PayloadTensor | undefined {
  const [only] = inputs;
  return inputs.length === 1 && only?.shape.length === 2 && only.shape[1] === features.length ? only : undefined;
}

/**
 * One prediction a row: the value of an output `[N]` or `[N, 1]`; of `[N, K]`, where columns are classes, the second class'
 * probability of two for an AUC, else the class with the highest.
 */
function predictionsOf(outputs: readonly PayloadTensor[], target: PerformanceTarget | null, rows: number): Cell[] {
  const output = target?.output
    ? outputs.find(({ name }) => name === target.output)
    : usualOutput(outputs, target?.metric ?? 'auc');
  if (!output || output.shape[0] !== rows) return Array<Cell>(rows).fill(null);
  const width = widthOf(output);
  if (width === 1) return cellsOf(output, 0, rows);
  if (target?.metric === 'accuracy') return Array.from({ length: rows }, (_, row) => mostLikely(output, row, width));
  return width === 2 ? cellsOf(output, 1, rows) : Array<Cell>(rows).fill(null);
}

/** Scores for an AUC, classes for accuracy, as scikit-learn's classifiers in ONNX give both. */
function usualOutput(outputs: readonly PayloadTensor[], metric: 'auc' | 'accuracy'): PayloadTensor | undefined {
  const wantsScores = metric === 'auc';
  return outputs.find(({ datatype }) => datatype.startsWith('FP') === wantsScores) ?? outputs[0];
}

function mostLikely({ data }: PayloadTensor, row: number, width: number): number {
  let best = 0;
  for (let index = 1; index < width; index += 1) {
    if (Number(data[row * width + index]) > Number(data[row * width + best])) best = index;
  }
  return best;
}

function cellsOf(tensor: PayloadTensor, column: number, rows: number): Cell[] {
  const width = widthOf(tensor);
  const isText = tensor.datatype === 'BYTES';
  return Array.from({ length: rows }, (_, row) => cellOf(tensor.data[row * width + column]!, isText));
}

/** Non-finite numbers, and whole ones past 2^53, travel as text. */
function cellOf(value: Cell, isText: boolean): Cell {
  if (isText || typeof value !== 'string') return value;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** Values a row. */
function widthOf({ shape }: PayloadTensor): number {
  return shape.slice(1).reduce((product, size) => product * size, 1);
}

function assertWhole({ name, shape, data }: PayloadTensor): void {
  const wants = shape.reduce((product, size) => product * size, 1);
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0) || wants !== data.length) {
    throw new PayloadIllShaped(`tensor ${name}: shape [${shape.join(', ')}] is not that of ${data.length} values`);
  }
}
