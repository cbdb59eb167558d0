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
const BOOL = 9;
const TENSOR_ATTRIBUTE = 4;
const GRAPH_ATTRIBUTE = 5;
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

interface Graph {
  readonly nodes: Buffer[];
  readonly initializers?: Buffer[];
  readonly inputs: Value[];
  readonly outputs: Value[];
}

function graphOf({ nodes, initializers = [], inputs, outputs }: Graph): Buffer {
  return Buffer.concat([
    ...nodes.map((each) => message(1, each)),
    message(2, 'graph'),
    ...initializers.map((each) => message(5, each)),
    ...inputs.map((each) => message(11, valueInfo(each))),
    ...outputs.map((each) => message(12, valueInfo(each))),
  ]);
}

function model(graph: Graph): Buffer {
  const opset = message(8, message(1, ''), number(2, 17));
  return Buffer.concat([number(1, 9), message(7, graphOf(graph)), opset]);
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
  const types = { text: 8, flag: BOOL, large: INT64 };
  const values = Object.entries(types).map(([name, type]) => ({ name, type, shape: ['N'] }));
  return model({
    nodes: values.map(({ name }) => node('Identity', [name], `${name}_again`)),
    inputs: values,
    outputs: values.map((value) => ({ ...value, name: `${value.name}_again` })),
  });
}

/** Loops for as long as its first value is not 0, which never changes; then it gives its input back. */
export function graphThatMayNotEnd(): Buffer {
  const again: Value = { name: 'again', type: BOOL, shape: [] };
  const passed: Value = { name: 'passed', type: FLOAT, shape: ['N', 2] };
  const body = graphOf({
    nodes: [node('Identity', ['again'], 'again_out'), node('Identity', ['passed'], 'passed_out')],
    inputs: [{ name: 'turn', type: INT64, shape: [] }, again, passed],
    outputs: [
      { ...again, name: 'again_out' },
      { ...passed, name: 'passed_out' },
    ],
  });
  const first = Buffer.concat([number(2, INT64), message(9, Buffer.alloc(8)), message(8, 'first')]);
  const attribute = message(5, message(1, 'body'), message(6, body), number(20, GRAPH_ATTRIBUTE));
  return model({
    nodes: [
      node('Flatten', ['input'], 'flat', message(5, message(1, 'axis'), number(3, 0), number(20, 2))),
      node('Squeeze', ['flat'], 'row'),
      node('Gather', ['row', 'first'], 'value'),
      node('Cast', ['value'], 'again', message(5, message(1, 'to'), number(3, BOOL), number(20, 2))),
      node('Loop', ['', 'again', 'input'], 'score', attribute),
    ],
    initializers: [first],
    inputs: [MATRIX],
    outputs: [{ name: 'score', type: FLOAT, shape: ['N', 2] }],
  });
}

/** Gives as many values as its input says, of one. */
export function graphThatSwells(): Buffer {
  return model({
    nodes: [node('ConstantOfShape', ['input'], 'score')],
    inputs: [{ name: 'input', type: INT64, shape: [2] }],
    outputs: [{ name: 'score', type: FLOAT, shape: ['A', 'B'] }],
  });
}

/** The same graph in other bytes: messages of protobuf that follow one another are merged. */
export function signedBy(producer: string, graph: Buffer): Buffer {
  return Buffer.concat([graph, message(2, producer)]);
}
