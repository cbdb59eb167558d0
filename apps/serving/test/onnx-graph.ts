/** ONNX graphs written by hand, byte for byte: such as no exporter would make. Field numbers are those of onnx.proto. */

type Part = Buffer | string;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

const number = (field: number, value: number) => Buffer.concat([varint(field << 3), varint(value)]);

function message(field: number, ...parts: Part[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return Buffer.concat([varint((field << 3) | 2), varint(body.byteLength), body]);
}

const FLOAT = 1;
const UINT8 = 2;
const INT64 = 7;
const TENSOR_ATTRIBUTE = 4;
const EXTERNAL = 1;

interface Value {
  readonly name: string;
  readonly type: number;
  /** A name is a dimension of any size. */
  readonly shape: readonly (number | string)[];
}

function valueInfo({ name, type, shape }: Value): Buffer {
  const dimensions = shape.map((size) => message(1, typeof size === 'string' ? message(2, size) : number(1, size)));
  return Buffer.concat([message(1, name), message(2, message(1, number(1, type), message(2, ...dimensions)))]);
}

function node(type: string, inputs: readonly string[], output: string, ...attributes: Buffer[]): Buffer {
  return Buffer.concat([
    ...inputs.map((input) => message(1, input)),
    message(2, output),
    message(4, type),
    ...attributes,
  ]);
}

function model(graph: { nodes: Buffer[]; initializers?: Buffer[]; inputs: Value[]; outputs: Value[] }): Buffer {
  const parts = [
    ...graph.nodes.map((each) => message(1, each)),
    message(2, 'graph'),
    ...(graph.initializers ?? []).map((each) => message(5, each)),
    ...graph.inputs.map((each) => message(11, valueInfo(each))),
    ...graph.outputs.map((each) => message(12, valueInfo(each))),
  ];
  const opset = message(8, message(1, ''), number(2, 17));
  return Buffer.concat([number(1, 9), message(7, ...parts), opset]);
}

function tensorInFile(name: string, bytes: number, location: string): Buffer {
  const entry = (key: string, value: string) => message(13, message(1, key), message(2, value));
  const place = [entry('location', location), entry('offset', '0'), entry('length', String(bytes))];
  return Buffer.concat([number(1, bytes), number(2, UINT8), message(8, name), ...place, number(14, EXTERNAL)]);
}

const MATRIX: Value = { name: 'input', type: FLOAT, shape: ['N', 2] };

/** Gives the first bytes of a file away as its second output, if the file is read: as a weight, or as a constant of a node. */
export function graphThatReads(location: string, as: 'weight' | 'constant'): Buffer {
  const stolen = tensorInFile('stolen', 16, location);
  const attribute = message(5, message(1, 'value'), message(5, stolen), number(20, TENSOR_ATTRIBUTE));
  const reader = as === 'weight' ? node('Identity', ['stolen'], 'given') : node('Constant', [], 'given', attribute);
  return model({
    nodes: [node('Identity', ['input'], 'score'), reader],
    initializers: as === 'weight' ? [stolen] : [],
    inputs: [MATRIX],
    outputs: [
      { name: 'score', type: FLOAT, shape: ['N', 2] },
      { name: 'given', type: UINT8, shape: [16] },
    ],
  });
}

/** Reshapes its input to rows of seven, which it refuses itself when there are not so many values. */
export function graphOfSevens(): Buffer {
  const sevens = Buffer.from(new BigInt64Array([-1n, 7n]).buffer);
  const shape = Buffer.concat([number(1, 2), number(2, INT64), message(9, sevens), message(8, 'sevens')]);
  return model({
    nodes: [node('Reshape', ['input', 'sevens'], 'score')],
    initializers: [shape],
    inputs: [{ ...MATRIX, shape: ['N', 'M'] }],
    outputs: [{ name: 'score', type: FLOAT, shape: ['A', 7] }],
  });
}

/** Gives back the strings, truth values and large integers that it is given. */
export function graphOfEchoes(): Buffer {
  const types = { text: 8, flag: 9, large: INT64 };
  const values = Object.entries(types).map(([name, type]) => ({ name, type, shape: ['N'] }));
  return model({
    nodes: values.map(({ name }) => node('Identity', [name], `${name}_again`)),
    inputs: values,
    outputs: values.map((value) => ({ ...value, name: `${value.name}_again` })),
  });
}

/** The same graph in other bytes: messages of protobuf that follow one another are merged. */
export function signedBy(producer: string, graph: Buffer): Buffer {
  return Buffer.concat([graph, message(2, producer)]);
}
