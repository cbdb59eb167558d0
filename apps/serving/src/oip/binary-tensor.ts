import { isUtf8 } from 'node:buffer';
import {
  arrayOver,
  bytesOf,
  elementsOf,
  TensorInvalid,
  type Datatype,
  type NumericData,
  type Tensor,
} from '../inference/tensor';

/**
 * Reads a tensor of the binary_tensor_data extension: little-endian, row-major; BYTES elements each behind their length as uint32.
 *
 * @throws TensorInvalid when the bytes are not as many as the shape says.
 */
export function tensorFromBytes(input: {
  name: string;
  datatype: Datatype;
  shape: readonly number[];
  bytes: Buffer;
}): Tensor {
  const { name, datatype, shape, bytes } = input;
  const elements = elementsOf(name, shape);
  if (datatype === 'BYTES') return { name, datatype, shape, data: stringsFromBytes(name, elements, bytes) };
  const wantedBytes = elements * bytesOf(datatype);
  if (bytes.byteLength !== wantedBytes) {
    throw new TensorInvalid(
      `tensor ${name}: shape [${shape.join(', ')}] of ${datatype} wants ${wantedBytes} bytes, there are ${bytes.byteLength}`,
    );
  }
  // A byte that is neither would be a truth value that no operator of the graph expects.
  if (datatype === 'BOOL' && bytes.some((byte) => byte > 1)) {
    throw new TensorInvalid(`tensor ${name}: a BOOL is 0 or 1`);
  }
  // The bytes lie anywhere in the request: copied, because a typed array must begin at a multiple of its element.
  return { name, datatype, shape, data: arrayOver(datatype, new Uint8Array(bytes).buffer) };
}

function stringsFromBytes(name: string, elements: number, bytes: Buffer): string[] {
  const strings: string[] = [];
  let offset = 0;
  while (offset < bytes.byteLength) {
    const start = offset + 4;
    const end = start <= bytes.byteLength ? start + bytes.readUInt32LE(offset) : Infinity;
    if (end > bytes.byteLength) throw new TensorInvalid(`tensor ${name}: the last of its BYTES is cut short`);
    strings.push(textOf(name, bytes.subarray(start, end)));
    offset = end;
  }
  if (strings.length !== elements) {
    throw new TensorInvalid(`tensor ${name}: its shape wants ${elements} BYTES, there are ${strings.length}`);
  }
  return strings;
}

/** Strings of ONNX are text; bytes that are not would be replaced in silence. */
function textOf(name: string, bytes: Buffer): string {
  if (!isUtf8(bytes) || bytes.includes(0))
    throw new TensorInvalid(`tensor ${name}: its BYTES are not UTF-8 without NUL`);
  return bytes.toString('utf8');
}

/** A tensor's bytes as the binary_tensor_data extension lays them out. */
export function bytesOfTensor({ datatype, data }: Tensor): Buffer {
  if (datatype !== 'BYTES') {
    const array = data as NumericData;
    return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  }
  return Buffer.concat(
    (data as readonly string[]).flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.byteLength);
      return [length, bytes];
    }),
  );
}
