/** Type ids of Postgres, as its catalog has them. */
const OID = { int2: 21, int4: 23, int8: 20, text: 25 } as const;

const HEADER_BYTES = 20;
const NULL_LENGTH = -1;

/**
 * An array in Postgres' binary form (`array_recv`). pg writes arrays as text, with every quote in every JSON text escaped, which
 * is most of what an append costs in Node, and then Postgres takes the escapes out again.
 */
export function textArray(values: readonly (string | null)[]): Buffer {
  let size = HEADER_BYTES;
  for (const value of values) size += 4 + (value === null ? 0 : Buffer.byteLength(value));
  const buffer = Buffer.allocUnsafe(size);
  let offset = writeHeader(buffer, OID.text, values.length, values.includes(null));
  for (const value of values) {
    const bytes = value === null ? 0 : buffer.write(value, offset + 4);
    buffer.writeInt32BE(value === null ? NULL_LENGTH : bytes, offset);
    offset += 4 + bytes;
  }
  return buffer.subarray(0, offset);
}

export function int2Array(values: readonly number[]): Buffer {
  return fixedArray(values, OID.int2, 2, (buffer, value, offset) => buffer.writeInt16BE(value, offset));
}

export function int4Array(values: readonly number[]): Buffer {
  return fixedArray(values, OID.int4, 4, (buffer, value, offset) => buffer.writeInt32BE(value, offset));
}

export function int8Array(values: readonly (bigint | null)[]): Buffer {
  return fixedArray(values, OID.int8, 8, (buffer, value, offset) => buffer.writeBigInt64BE(value, offset));
}

function fixedArray<T>(
  values: readonly (T | null)[],
  oid: number,
  bytesEach: number,
  write: (buffer: Buffer, value: T, offset: number) => void,
): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + values.length * (4 + bytesEach));
  let offset = writeHeader(buffer, oid, values.length, values.includes(null));
  for (const value of values) {
    buffer.writeInt32BE(value === null ? NULL_LENGTH : bytesEach, offset);
    offset += 4;
    if (value === null) continue;
    write(buffer, value, offset);
    offset += bytesEach;
  }
  return buffer.subarray(0, offset);
}

/** Dimensions, whether there are nulls, element type; then the one dimension's length and lower bound. An empty array has none. */
function writeHeader(buffer: Buffer, oid: number, length: number, hasNulls: boolean): number {
  buffer.writeInt32BE(length === 0 ? 0 : 1, 0);
  buffer.writeInt32BE(hasNulls ? 1 : 0, 4);
  buffer.writeInt32BE(oid, 8);
  if (length === 0) return 12;
  buffer.writeInt32BE(length, 12);
  buffer.writeInt32BE(1, 16);
  return HEADER_BYTES;
}
