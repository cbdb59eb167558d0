import { isUtf8 } from 'node:buffer';
import { parseStrictJson } from '@mledger/service-kit';
import { TensorInvalid, tensorFromValues, type Datatype, type Tensor, type TensorSignature } from '../inference/tensor';
import { parseCsv } from './csv';

/** Rows under column names, or one tensor, or tensors by name: what MLflow's scoring protocol can say. */
export type ScoringInput =
  | {
      readonly kind: 'frame';
      readonly columns: readonly string[];
      readonly rows: readonly (readonly unknown[])[];
      /** Of CSV, whose fields are what their input takes: 07 may be a number or a code. */
      readonly isText?: true;
    }
  | { readonly kind: 'tensor'; readonly values: unknown }
  | { readonly kind: 'tensors'; readonly byName: Readonly<Record<string, unknown>> };

const FORMS = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;

/**
 * Reads a JSON body of POST /invocations: exactly one of dataframe_split, dataframe_records, instances or inputs.
 *
 * @throws TensorInvalid with the reason, for the client; ApiError 400 for JSON that is not what it seems
 */
export function readScoringJson(bytes: Buffer): ScoringInput {
  const body = parseStrictJson(bytes, { bigIntegers: 'as-strings', nonFinite: 'as-null-and-strings' });
  if (!isRecord(body)) throw new TensorInvalid(`the body is not a JSON object with one of ${FORMS.join(', ')}`);
  const given = FORMS.filter((form) => form in body);
  const [form] = given;
  if (given.length !== 1 || !form) {
    throw new TensorInvalid(
      `the body holds ${given.join(' and ') || 'none'} of ${FORMS.join(', ')}; it must hold exactly one`,
    );
  }
  const value = body[form];
  if (form === 'dataframe_split') return readSplit(value);
  if (form === 'dataframe_records') return readRecords(value, form);
  if (form === 'instances' && Array.isArray(value) && value.length > 0 && value.every(isRecord)) {
    return readRecords(value, form);
  }
  return isRecord(value) ? { kind: 'tensors', byName: value } : { kind: 'tensor', values: value };
}

/** Reads a text/csv body: a header of column names, then rows of text. */
export function readScoringCsv(bytes: Buffer): ScoringInput {
  if (!isUtf8(bytes) || bytes.includes(0)) throw new TensorInvalid('the CSV is not UTF-8 without NUL');
  const [columns, ...rows] = parseCsv(bytes.toString('utf8').replace(/^\uFEFF/, ''));
  if (!columns) throw new TensorInvalid('the CSV has no header row');
  rows.forEach((row, index) => {
    if (row.length !== columns.length) {
      throw new TensorInvalid(`row ${index + 1} of the CSV has ${row.length} fields, the header ${columns.length}`);
    }
  });
  return { kind: 'frame', columns, rows, isText: true };
}

/**
 * Makes the tensors a model takes: a frame's columns by the names of the inputs, or, for a model with one input of two
 * dimensions, side by side in their order.
 *
 * @throws TensorInvalid when a column is missing or a value does not fit
 */
export function tensorsOf(input: ScoringInput, signature: readonly TensorSignature[]): Tensor[] {
  if (input.kind === 'frame') return frameTensors(input, signature);
  const [only] = signature;
  const byName =
    input.kind === 'tensors' ? input.byName : only && signature.length === 1 && { [only.name]: input.values };
  if (!byName)
    throw new TensorInvalid(`the model takes ${signature.length} inputs: give an object with a member for each`);
  return Object.entries(byName).map(([name, value]) => {
    const wanted = signature.find((each) => each.name === name);
    if (!wanted) throw new TensorInvalid(`the model has no input ${name}`);
    const values = Array.isArray(value) ? value : [value];
    return tensorFromValues({ name, datatype: wanted.datatype, shape: fittedShape(wanted, shapeOf(values)), values });
  });
}

function frameTensors(
  { columns, rows, isText }: Extract<ScoringInput, { kind: 'frame' }>,
  signature: readonly TensorSignature[],
): Tensor[] {
  const [only] = signature;
  const read = (cell: unknown, datatype: Datatype) => (isText ? valueOfText(String(cell), datatype) : cell);
  if (only && signature.length === 1 && only.shape.length === 2 && !columns.includes(only.name)) {
    const shape = [rows.length, columns.length];
    const { name, datatype } = only;
    const values = rows.map((row) => row.map((cell) => read(cell, datatype)));
    return [tensorFromValues({ name, datatype, shape, values })];
  }
  const unknown = columns.find((column) => !signature.some(({ name }) => name === column));
  if (unknown !== undefined) throw new TensorInvalid(`the model has no input for column ${unknown}`);
  const repeated = columns.find((column, index) => columns.indexOf(column) !== index);
  if (repeated !== undefined) throw new TensorInvalid(`column ${repeated} stands twice`);
  return signature.map(({ name, datatype, shape }) => {
    const index = columns.indexOf(name);
    if (index < 0)
      throw new TensorInvalid(
        `column ${name} is missing; the model takes ${signature.map((each) => each.name).join(', ')}`,
      );
    const values = rows.map((row) => read(row[index], datatype));
    // A cell may hold an array itself, as records of the instances form do.
    return tensorFromValues({ name, datatype, shape: fittedShape({ shape }, shapeOf(values)), values });
  });
}

const MISSING = /^(?:|nan|na|n\/a|null|none)$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A field of CSV as its input takes it, in the spellings that pandas writes and reads. */
function valueOfText(text: string, datatype: Datatype): unknown {
  const word = text.trim();
  if (datatype === 'BYTES') return word === '' ? null : text;
  if (datatype.startsWith('FP')) {
    if (MISSING.test(word)) return null;
    const [, sign] = INFINITE.exec(word) ?? [];
    if (sign !== undefined) return sign === '-' ? '-Infinity' : 'Infinity';
    return NUMBER.test(word) ? Number(word) : text;
  }
  if (datatype === 'BOOL' && /^(?:true|false)$/i.test(word)) return word.toLowerCase() === 'true';
  // Whole numbers stay digits: a double would round those past 2^53.
  return /^-?\d+$/.test(word) || !NUMBER.test(word) ? word : Number(word);
}

/** A column of N values is [N, 1] to a model that wants two dimensions. */
function fittedShape({ shape }: Pick<TensorSignature, 'shape'>, given: readonly number[]): number[] {
  return shape.length === given.length + 1 && (shape.at(-1) === 1 || shape.at(-1) === -1) ? [...given, 1] : [...given];
}

function shapeOf(values: unknown): number[] {
  return Array.isArray(values) ? [values.length, ...shapeOf(values[0])] : [];
}

function readSplit(value: unknown): ScoringInput {
  const { columns: given, data } = isRecord(value) ? value : {};
  if (!Array.isArray(data) || !data.every(Array.isArray))
    throw new TensorInvalid('dataframe_split.data is not a list of rows');
  // pandas numbers columns that have no names.
  const columns: unknown = given ?? Object.keys((data[0] as unknown[] | undefined) ?? []);
  if (!Array.isArray(columns) || !columns.every((column) => ['string', 'number'].includes(typeof column)))
    throw new TensorInvalid('dataframe_split.columns is not a list of names');
  const short = data.findIndex((row: unknown[]) => row.length !== columns.length);
  if (short >= 0) throw new TensorInvalid(`row ${short} of dataframe_split.data has not ${columns.length} values`);
  return { kind: 'frame', columns: columns.map(String), rows: data };
}

function readRecords(value: unknown, form: string): ScoringInput {
  if (!Array.isArray(value) || !value.every(isRecord)) throw new TensorInvalid(`${form} is not a list of objects`);
  if (value.length === 0) throw new TensorInvalid(`${form} has no rows`);
  // A column that only a later record has is one too, as pandas sees it; to drop it would answer another question.
  const columns = [...new Set(value.flatMap(Object.keys))];
  const field = (record: Record<string, unknown>, column: string) =>
    Object.hasOwn(record, column) ? record[column] : null;
  return { kind: 'frame', columns, rows: value.map((record) => columns.map((column) => field(record, column))) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
