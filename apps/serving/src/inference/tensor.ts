/** The numeric arrays a tensor's data may be held in, by its Open Inference datatype. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | readonly string[];

export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Flat and row-major; BOOL as 0 and 1, FP16 as its 16 bits. */
  readonly data: TensorData;
}

/** What a model says of one of its inputs or outputs; -1 is a dimension of any size. */
export interface TensorSignature {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/** A tensor may not hold more elements than this; how many there are in all is bounded by the bytes of the body. */
export const TENSOR_ELEMENTS_MAX = 16 * 1024 * 1024;

const MESSAGE_LENGTH_MAX = 500;

/** A tensor that says one thing and holds another; the message is for the client. */
export class TensorInvalid extends Error {
  constructor(message: string) {
    // It quotes what the client sent, which may be megabytes, and it is published with the refused request.
    super(message.length > MESSAGE_LENGTH_MAX ? `${message.slice(0, MESSAGE_LENGTH_MAX)}…` : message);
  }
}

export type NumericData = Exclude<TensorData, readonly string[]>;

interface TypedArrayConstructor {
  new (length: number): NumericData;
  new (buffer: ArrayBuffer): NumericData;
}

interface DatatypeFacts {
  readonly onnx: string;
  readonly bytes: number;
  readonly array: TypedArrayConstructor;
  /** Least and greatest whole number; absent for floating point. */
  readonly range?: readonly [bigint, bigint];
}

const signed = (bits: bigint): readonly [bigint, bigint] => [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
const unsigned = (bits: bigint): readonly [bigint, bigint] => [0n, (1n << bits) - 1n];

const FACTS = {
  BOOL: { onnx: 'bool', bytes: 1, array: Uint8Array, range: [0n, 1n] },
  UINT8: { onnx: 'uint8', bytes: 1, array: Uint8Array, range: unsigned(8n) },
  UINT16: { onnx: 'uint16', bytes: 2, array: Uint16Array, range: unsigned(16n) },
  UINT32: { onnx: 'uint32', bytes: 4, array: Uint32Array, range: unsigned(32n) },
  UINT64: { onnx: 'uint64', bytes: 8, array: BigUint64Array, range: unsigned(64n) },
  INT8: { onnx: 'int8', bytes: 1, array: Int8Array, range: signed(8n) },
  INT16: { onnx: 'int16', bytes: 2, array: Int16Array, range: signed(16n) },
  INT32: { onnx: 'int32', bytes: 4, array: Int32Array, range: signed(32n) },
  INT64: { onnx: 'int64', bytes: 8, array: BigInt64Array, range: signed(64n) },
  FP16: { onnx: 'float16', bytes: 2, array: Uint16Array },
  FP32: { onnx: 'float32', bytes: 4, array: Float32Array },
  FP64: { onnx: 'float64', bytes: 8, array: Float64Array },
} as const satisfies Record<string, DatatypeFacts>;

export type Datatype = keyof typeof FACTS | 'BYTES';

export function isDatatype(text: string): text is Datatype {
  return text === 'BYTES' || Object.hasOwn(FACTS, text);
}

/** The Open Inference name of an ONNX element type; undefined for one that no client could send. */
export function datatypeOfOnnx(onnxType: string): Datatype | undefined {
  if (onnxType === 'string') return 'BYTES';
  const found = Object.entries<DatatypeFacts>(FACTS).find(([, facts]) => facts.onnx === onnxType);
  return found?.[0] as Datatype | undefined;
}

export function onnxTypeOf(datatype: Datatype): string {
  return datatype === 'BYTES' ? 'string' : FACTS[datatype].onnx;
}

/** The array that holds a datatype's elements, over bytes that a client sent; BYTES elements are strings and have none. */
export function arrayOver(datatype: Exclude<Datatype, 'BYTES'>, bytes: ArrayBuffer): NumericData {
  const facts: DatatypeFacts = FACTS[datatype];
  return new facts.array(bytes);
}

/** Bytes of one element; BYTES elements have none that is fixed. */
export function bytesOf(datatype: Exclude<Datatype, 'BYTES'>): number {
  return FACTS[datatype].bytes;
}

/**
 * How many elements a shape holds.
 *
 * @throws TensorInvalid for a negative or fractional dimension, or more than TENSOR_ELEMENTS_MAX elements.
 */
export function elementsOf(name: string, shape: readonly number[]): number {
  let elements = 1;
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) {
      throw new TensorInvalid(`tensor ${name}: ${dimension} is not the size of a dimension`);
    }
    elements *= dimension;
    // A dimension by itself too: beside one of zero it would multiply to nothing, and still reach the graph.
    if (elements > TENSOR_ELEMENTS_MAX || dimension > TENSOR_ELEMENTS_MAX) {
      throw new TensorInvalid(
        `tensor ${name}: shape [${shape.join(', ')}] holds more than ${TENSOR_ELEMENTS_MAX} elements`,
      );
    }
  }
  return elements;
}

/**
 * Makes a tensor of values as JSON gives them, flat or nested as the shape says.
 *
 * @throws TensorInvalid when there are not the values that the shape says, or a value does not fit the datatype.
 */
export function tensorFromValues(input: {
  name: string;
  datatype: Datatype;
  shape: readonly number[];
  values: unknown;
}): Tensor {
  const { name, datatype, shape, values } = input;
  const elements = elementsOf(name, shape);
  const flat = flatValues(name, values, shape);
  if (flat.length !== elements) {
    throw new TensorInvalid(
      `tensor ${name}: shape [${shape.join(', ')}] wants ${elements} values, data holds ${flat.length}`,
    );
  }
  if (datatype === 'BYTES') return { name, datatype, shape, data: flat.map((value) => stringValue(name, value)) };
  const facts: DatatypeFacts = FACTS[datatype];
  const data = new facts.array(elements);
  for (let index = 0; index < elements; index += 1) data[index] = numberValue(name, datatype, facts, flat[index]);
  return { name, datatype, shape, data };
}

/** Values in a row, or nested as deep as the shape says; ragged data would be read as something that nobody sent. */
function flatValues(name: string, values: unknown, shape: readonly number[]): readonly unknown[] {
  if (!Array.isArray(values)) throw new TensorInvalid(`tensor ${name}: data is not an array`);
  if (!values.some(Array.isArray)) return values;
  let level: readonly unknown[] = [values];
  for (const size of shape) {
    const fits = level.every((item) => Array.isArray(item) && item.length === size);
    if (!fits) throw new TensorInvalid(`tensor ${name}: data is not nested as its shape [${shape.join(', ')}] says`);
    level = level.flat();
  }
  return level;
}

function stringValue(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TensorInvalid(`tensor ${name}: ${JSON.stringify(value)} is not a string, as BYTES wants`);
}

const NON_FINITE: Readonly<Record<string, number>> = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity };
const WHOLE_NUMBER = /^-?\d{1,20}$/;
/** Halfway between the largest half, 65504, and what would come next. */
const HALF_OVERFLOWS_FROM = 65_520;

function numberValue(name: string, datatype: Datatype, facts: DatatypeFacts, value: unknown): never {
  if (facts.range) return wholeValue(name, datatype, facts.range, value, facts.bytes) as never;
  const number = typeof value === 'string' ? floatOfText(value) : value;
  // A missing value is a NaN to every numeric library that clients use.
  if (number === null) return NaN as never;
  if (typeof number !== 'number' || overflows(datatype, number)) throw misfit(name, datatype, value);
  return (datatype === 'FP16' ? halfBits(number) : number) as never;
}

/** Digits in a string are an integer past 2^53, which the reader of JSON leaves as it was sent. */
function floatOfText(text: string): number | undefined {
  if (!/^-?\d+$/.test(text)) return NON_FINITE[text];
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** Whether a finite number would become an infinite one. */
function overflows(datatype: Datatype, number: number): boolean {
  if (!Number.isFinite(number)) return false;
  return datatype === 'FP16'
    ? Math.abs(number) >= HALF_OVERFLOWS_FROM
    : !Number.isFinite(Math.fround(number)) && datatype === 'FP32';
}

function wholeValue(
  name: string,
  datatype: Datatype,
  [least, greatest]: readonly [bigint, bigint],
  value: unknown,
  bytes: number,
): number | bigint {
  const number = typeof value === 'boolean' ? Number(value) : value;
  const text = typeof number === 'string' && WHOLE_NUMBER.test(number) ? number : undefined;
  if (text === undefined && !Number.isSafeInteger(number)) throw misfit(name, datatype, value);
  const whole = BigInt(text ?? (number as number));
  if (whole < least || whole > greatest) throw misfit(name, datatype, value);
  return bytes === 8 ? whole : Number(whole);
}

function misfit(name: string, datatype: Datatype, value: unknown): TensorInvalid {
  return new TensorInvalid(`tensor ${name}: ${JSON.stringify(value)} does not fit ${datatype}`);
}

const HALF = new DataView(new ArrayBuffer(4));

/** The 16 bits of the IEEE 754 half nearest to a number (ties to even is not needed: inputs of models are not exact). */
function halfBits(value: number): number {
  HALF.setFloat32(0, value);
  const bits = HALF.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  if (Number.isNaN(value)) return 0x7e00;
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent <= 0) {
    const mantissa = (bits & 0x7fffff) | 0x800000;
    const shift = 14 - exponent;
    return shift > 24 ? sign : sign | ((mantissa + (1 << (shift - 1))) >>> shift);
  }
  return (sign | (exponent << 10) | ((bits >>> 13) & 0x3ff)) + ((bits >>> 12) & 1);
}

/** The number of an IEEE 754 half's 16 bits. */
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

export type JsonScalar = number | string | boolean;

/** A tensor's values as JSON may hold them: non-finite numbers and whole ones past 2^53 as strings. */
export function valuesOf({ datatype, data }: Pick<Tensor, 'datatype' | 'data'>): JsonScalar[] {
  if (datatype === 'BYTES') return [...(data as readonly string[])];
  return Array.from(data as ArrayLike<number | bigint>, (value) => {
    if (datatype === 'BOOL') return value !== 0;
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
    const number = datatype === 'FP16' ? halfValue(value) : value;
    return Number.isFinite(number) ? number : String(number);
  });
}
