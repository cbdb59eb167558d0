import { gzipSync } from 'node:zlib';
import { eventually } from '@mledger/service-kit/testing';
import { INFER_BYTES_MAX } from '../src/oip/oip.controller';
import { graphOfEchoes, graphOfSevens, graphThatSwells } from './onnx-graph';
import { MATRIX, ServingWorld } from './serving-world';

const ENDPOINTS = ['target', 'echo', 'sevens', 'swells'];

let world: ServingWorld;
beforeAll(async () => {
  world = await ServingWorld.start();
  const { registry } = world;
  await registry.createVersion('target', 1, 'double.onnx');
  await registry.createVersion('echo', 1, graphOfEchoes());
  await registry.createVersion('sevens', 1, graphOfSevens());
  await registry.createVersion('swells', 1, graphThatSwells());
  for (const name of ENDPOINTS) await world.follow(name, `models:/${name}/1`);
});
afterAll(() => world?.stop());

type Answer = Awaited<ReturnType<ServingWorld['infer']>>;
type Headers = Record<string, string>;

const OIP_FORM = { error: expect.any(String) };
const MLFLOW_FORM = { error_code: expect.any(String), message: expect.any(String) };

/** Refused in the form of its protocol, short, and with nothing of our inside. */
function expectRefusal(answer: Answer, status: number, form: object): void {
  expect({ status: answer.statusCode, body: answer.json() }).toEqual({ status, body: form });
  expect(answer.payload.length).toBeLessThan(1_000);
  expect(answer.payload).not.toMatch(/\n\s+at |node_modules|onnxruntime_src|\.(ts|js|cc|h):\d/);
}

/** Has one good prediction made. @returns its place among what is published: the topic keeps the order */
async function goodPrediction(): Promise<number> {
  const good = await world.infer('target', { inputs: [MATRIX] });
  expect(good.statusCode).toBe(200);
  return eventually(() => {
    const place = world.payloads.findIndex(({ requestId }) => requestId === good.headers['x-request-id']);
    expect(place).toBeGreaterThanOrEqual(0);
    return place;
  });
}

/** What a request has published, and that the server goes on serving after it. */
async function publishedBy(request: () => Promise<Answer>): Promise<[Answer, typeof world.payloads]> {
  const start = await goodPrediction();
  const answer = await request();
  return [answer, world.payloads.slice(start + 1, await goodPrediction())];
}

const matrix = (other: object) => JSON.stringify({ inputs: [{ ...MATRIX, ...other }] });
const matrixText = (data: string) =>
  `{"inputs": [{"name": "input", "shape": [1, 2], "datatype": "FP32", "data": ${data}}]}`;
const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

function binary(described: object, tensor: Buffer, jsonBytes?: number): [string | Buffer, number, Headers] {
  const parameters = { binary_data_size: tensor.byteLength };
  const json = Buffer.from(JSON.stringify({ inputs: [{ name: 'input', parameters, ...described }] }));
  const length = String(jsonBytes ?? json.byteLength);
  return [Buffer.concat([json, tensor]), 400, { 'inference-header-content-length': length }];
}

/** Large ones are made when their turn comes: the test runner prints what stands in its tables. */
type Body = string | Buffer | (() => string | Buffer);
const made = (body: Body) => (typeof body === 'function' ? body() : body);
const overLimit = () => Buffer.alloc(INFER_BYTES_MAX + 1, ' ');
const bomb = () => gzipSync(overLimit());

const UNREADABLE: [what: string, body: Body, status: number, headers?: Headers][] = [
  ['a shape that does not match the data', matrix({ shape: [3, 2] }), 400],
  ['a negative shape', matrix({ shape: [-2, -2] }), 400],
  ['half a row', matrix({ shape: [0.5, 8] }), 400],
  ['a shape that multiplies past memory', matrix({ shape: [2 ** 31, 2 ** 31] }), 400],
  ['a shape that multiplies past memory, and then to nothing', matrix({ shape: [0, 2 ** 52], data: [] }), 400],
  ['a dimension past 2^53', '{"inputs": [{"name": "input", "shape": [9007199254740993, 2], "datatype": "FP32", "data": []}]}', 400],
  ['a thousand dimensions', () => matrix({ shape: Array.from({ length: 1000 }, () => 1), data: [1] }), 400],
  ['ragged data', matrix({ data: [[1], [2, 3, 4]] }), 400],
  ['data nested another way than the shape', matrix({ data: [[[1, 2]], [[3, 4]]] }), 400],
  ['data that is no array', matrix({ data: { length: 4 } }), 400],
  ['no data', matrix({ data: undefined }), 400],
  ['a datatype that does not exist', matrix({ datatype: 'FP128' }), 400],
  ['a datatype that every object has', matrix({ datatype: 'constructor' }), 400],
  ['text for numbers', matrix({ data: ['a', 'b', 'c', 'd'] }), 400],
  ['a megabyte of text for a number', () => matrix({ data: ['a'.repeat(2 ** 20), 1, 1, 1] }), 400],
  ['NaN in a place for text', '{"inputs": [{"name": "input", "shape": [1], "datatype": "BYTES", "data": [NaN]}]}', 400],
  ['Infinity for an integer', '{"inputs": [{"name": "input", "shape": [1], "datatype": "INT64", "data": [Infinity]}]}', 400],
  ['classes instead of values', JSON.stringify({ inputs: [MATRIX], outputs: [{ name: 'score', parameters: { classification: 2 } }] }), 400],
  ['an output in shared memory', JSON.stringify({ inputs: [MATRIX], outputs: [{ name: 'score', parameters: { shared_memory_region: 'x' } }] }), 400],
  ['a number past all doubles', matrixText('[1e999, 1]'), 400],
  ['a number past all floats', matrixText('[1e39, 1]'), 400],
  ['NaN for an integer', matrix({ datatype: 'INT64', data: ['NaN', 1, 1, 1] }), 400],
  ['a fraction for an integer', matrix({ datatype: 'INT64', data: [1.5, 1, 1, 1] }), 400],
  ['an integer that its datatype does not hold', matrix({ datatype: 'INT8', data: [128, 1, 1, 1] }), 400],
  ['an integer past 64 bits', matrix({ datatype: 'UINT64', data: ['18446744073709551616', 1, 1, 1] }), 400],
  ['a key that reaches for a prototype', `{"__proto__": {}, ${matrix({}).slice(1)}`, 400],
  ['a key twice', `{"inputs": [], ${matrix({}).slice(1)}`, 400],
  ['10,000 levels', () => matrixText(nested(10_000)), 400],
  ['ten million levels', () => matrixText(nested(10_000_000)), 400],
  ['NUL in its id', `{"id": "\\u0000", ${matrix({}).slice(1)}`, 400],
  ['half a character', `{"id": "\\ud83d", ${matrix({}).slice(1)}`, 400],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 400],
  ['an id of a megabyte', () => JSON.stringify({ id: 'x'.repeat(2 ** 20), inputs: [MATRIX] }), 400],
  ['a name of a megabyte', () => matrix({ name: 'x'.repeat(2 ** 20) }), 400],
  ['half a body', '{"inputs": [', 400],
  ['no body', '', 400],
  ['a list', '[]', 400],
  ['nothing', 'null', 400],
  ['no inputs', '{}', 400],
  ['an output asked for a thousand times', () => JSON.stringify({ inputs: [MATRIX], outputs: Array(1000).fill({ name: 'score' }) }), 400],
  ['binary data that is not there', matrix({ data: undefined, parameters: { binary_data_size: 16 } }), 400],
  ['binary data beside data', ...binary({ ...MATRIX }, Buffer.alloc(16))],
  ['too little binary data', ...binary({ datatype: 'FP32', shape: [2, 2] }, Buffer.alloc(15))],
  ['binary data that nobody named', ...binary({ ...MATRIX, parameters: {} }, Buffer.alloc(16))],
  ['a negative size', ...binary({ datatype: 'FP32', shape: [1], parameters: { binary_data_size: -4 } }, Buffer.alloc(4))],
  ['JSON longer than its body', ...binary({ datatype: 'FP32', shape: [1] }, Buffer.alloc(4), 10_000)],
  ['JSON of a negative length', ...binary({ datatype: 'FP32', shape: [1] }, Buffer.alloc(4), -1)],
  ['BYTES that are cut short', ...binary({ datatype: 'BYTES', shape: [1] }, Buffer.from([255, 255, 255, 255, 1]))],
  ['BYTES that are not UTF-8', ...binary({ datatype: 'BYTES', shape: [1] }, Buffer.from([1, 0, 0, 0, 255]))],
  ['BYTES with NUL', ...binary({ datatype: 'BYTES', shape: [1] }, Buffer.from([1, 0, 0, 0, 0]))],
  ['a BOOL that is neither', ...binary({ datatype: 'BOOL', shape: [1] }, Buffer.from([7]))],
  ['a body over the limit', overLimit, 413],
  ['a body that inflates a thousand times', bomb, 413, { 'content-encoding': 'gzip' }],
  ['a body that is not gzip', matrix({}), 400, { 'content-encoding': 'gzip' }],
  ['an encoding that does not exist', matrix({}), 415, { 'content-encoding': 'zstd-9000' }],
]; // prettier-ignore

describe('an inference request that cannot be read', () => {
  // A rest parameter, because a row may lack its last member, and jest would take that parameter for `done`.
  it.each(UNREADABLE)('for %s is refused, and nothing is published', async (...[, body, status, headers]) => {
    const [answer, published] = await publishedBy(() => world.infer('target', made(body), headers));
    expectRefusal(answer, status, OIP_FORM);
    expect(published).toEqual([]);
  });

  it.each([
    'nobody',
    'target/versions/9',
    'target/versions/one',
    'target/versions/1.0',
    '..%2f..%2fetc',
    'constructor',
  ])('for model %s is told that there is none', async (path) => {
    const [answer, published] = await publishedBy(() => world.infer(path, { inputs: [MATRIX] }));
    expectRefusal(answer, 404, OIP_FORM);
    expect(published).toEqual([]);
  });
});

const MISFITS: [what: string, model: string, body: object][] = [
  ['of another datatype', 'target', { inputs: [{ ...MATRIX, datatype: 'FP64' }] }],
  ['of another shape', 'target', { inputs: [{ ...MATRIX, shape: [1, 4] }] }],
  ['of another rank', 'target', { inputs: [{ ...MATRIX, shape: [4] }] }],
  ['without rows', 'target', { inputs: [{ ...MATRIX, shape: [0, 2], data: [] }] }],
  ['for an input that does not exist', 'target', { inputs: [{ ...MATRIX, name: 'nope' }] }],
  ['for one input too many', 'target', { inputs: [MATRIX, { ...MATRIX, name: 'nope' }] }],
  ['that are none', 'target', { inputs: [] }],
  ['that are the same input twice', 'target', { inputs: [MATRIX, MATRIX] }],
  ['for an output that does not exist', 'target', { inputs: [MATRIX], outputs: [{ name: '__proto__x' }] }],
  ['that the graph itself refuses', 'sevens', { inputs: [MATRIX] }],
  [
    'that become more than a request may hold',
    'swells',
    { inputs: [{ name: 'input', datatype: 'INT64', shape: [2], data: [1, 2 ** 24 + 1] }] },
  ],
  [
    'that become more than there is memory',
    'swells',
    { inputs: [{ name: 'input', datatype: 'INT64', shape: [2], data: [2 ** 30, 2 ** 20] }] },
  ],
];

describe('tensors that the model does not take', () => {
  it.each(MISFITS)('%s are refused, and the refusal is on record', async (_what, model, body) => {
    const [answer, published] = await publishedBy(() => world.infer(model, body));
    expectRefusal(answer, 400, OIP_FORM);
    const { error } = answer.json() as { error: string };
    const requestId = answer.headers['x-request-id'];
    expect(published).toMatchObject([{ requestId, endpoint: model, status: 400, outputs: [], error }]);
  });
});

const UNSCORABLE: [what: string, body: Body, status: number, headers?: Headers][] = [
  ['two forms', '{"inputs": [], "instances": []}', 400],
  ['no form', '{"rows": []}', 400],
  ['a key that reaches for a prototype', '{"__proto__": {}, "inputs": [[1, 2]]}', 400],
  ['a key twice', '{"inputs": [[1, 2]], "inputs": [[3, 4]]}', 400],
  ['10,000 levels', () => `{"inputs": ${nested(10_000)}}`, 400],
  ['ten million levels', () => `{"inputs": ${nested(10_000_000)}}`, 400],
  ['text for numbers', '{"inputs": [["a", 1]]}', 400],
  ['a megabyte of text for a number', () => `{"inputs": [["${'a'.repeat(2 ** 20)}", 1]]}`, 400],
  ['ragged rows', '{"inputs": [[1, 2], [3]]}', 400],
  ['no rows', '{"dataframe_split": {"columns": ["a", "b"], "data": []}}', 400],
  ['no records', '{"dataframe_records": []}', 400],
  ['a column that only the second record has', '{"dataframe_records": [{"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}]}', 400],
  ['a row that is too short', '{"dataframe_split": {"columns": ["a", "b"], "data": [[1]]}}', 400],
  ['a row in a row', '{"dataframe_split": {"columns": ["a", "b"], "data": [[[1, 2], []]]}}', 400],
  ['a number in hexadecimal', 'a,b\n0x10,1\n', 400, { 'content-type': 'text/csv' }],
  ['CSV without a header', '', 400, { 'content-type': 'text/csv' }],
  ['CSV without rows', 'a,b\n', 400, { 'content-type': 'text/csv' }],
  ['CSV that is not UTF-8', Buffer.from([0x61, 0xff, 0x0a]), 400, { 'content-type': 'text/csv' }],
  ['CSV of another width', 'a,b\n1\n', 400, { 'content-type': 'text/csv' }],
  ['another content type', '<a/>', 415, { 'content-type': 'text/xml' }],
  ['a body over the limit', overLimit, 413],
  ['a body that inflates a thousand times', bomb, 413, { 'content-encoding': 'gzip' }],
]; // prettier-ignore

describe('a number that JSON has not', () => {
  it('is read as Triton and MLflow read it, whose clients write it as Python does', async () => {
    const infer = await world.infer('target', matrixText('[NaN, 1]'));
    expect(infer.json().outputs).toContainEqual(expect.objectContaining({ name: 'score', data: ['NaN'] }));
    const scored = await world.invoke('target', '{"inputs": [[-Infinity, 1], [1, 1]]}');
    expect(scored.json().predictions.score).toEqual([['-Infinity'], [4]]);
  });
});

describe('a scoring request', () => {
  it.each(UNSCORABLE)('with %s is refused', async (...[, body, status, headers]) => {
    const [answer, published] = await publishedBy(() => world.invoke('target', made(body), headers));
    expectRefusal(answer, status, MLFLOW_FORM);
    // Which columns fit can be said only once the model is known: such a refusal is on record, without an answer.
    for (const payload of published) expect(payload).toMatchObject({ status: 400, outputs: [] });
  });

  it('to nobody is refused', async () => {
    expectRefusal(await world.invoke('nobody', '{"inputs": [[1, 2]]}'), 404, MLFLOW_FORM);
  });
});

describe('what looks hostile and is not', () => {
  it('gives back what JSON alone would have altered, and what is not finite', async () => {
    const text = ['__proto__', '{"a": NaN}', '\u{1f600}'];
    const body = `{"inputs": [
      {"name": "text", "shape": [3], "datatype": "BYTES", "data": ${JSON.stringify(text)}},
      {"name": "flag", "shape": [3], "datatype": "BOOL", "data": [true, false, true]},
      {"name": "large", "shape": [3], "datatype": "INT64", "data": [9223372036854775807, "-9223372036854775808", 1]}]}`;
    expect((await world.infer('echo', body)).json().outputs).toMatchObject([
      { name: 'text_again', data: text },
      { name: 'flag_again', data: [true, false, true] },
      { name: 'large_again', data: ['9223372036854775807', '-9223372036854775808', 1] },
    ]);
    const floats = await world.infer('target', { inputs: [{ ...MATRIX, data: ['NaN', 1, 'Infinity', 1] }], outputs: [{ name: 'score' }] }); // prettier-ignore
    expect(floats.json().outputs).toMatchObject([{ data: ['NaN', 'Infinity'] }]);
    const large = await world.infer('target', matrixText('[100000000000000000000, 0]'));
    expect(large.json().outputs[1]).toMatchObject({ data: [Math.fround(2e20)] });
  });

  it('is recorded whole when it is one string of megabytes, and holds nobody else up', async () => {
    const text = 'x'.repeat(6 * 2 ** 20);
    const inputs = [
      { name: 'text', shape: [1], datatype: 'BYTES', data: [text] },
      { name: 'flag', shape: [1], datatype: 'BOOL', data: [true] },
      { name: 'large', shape: [1], datatype: 'INT64', data: [1] },
    ];
    const [answer, published] = await publishedBy(() => world.infer('echo', { inputs }));
    expect(answer.statusCode).toBe(200);
    expect(published).toMatchObject([{ status: 200, inputs: [], tensors: { objectKey: expect.any(String) } }]);
  });
});

it('left no event behind but those that were meant', async () => {
  const types = (await world.kit.service.log.store.readLog({ afterSeq: 0, limit: 1000 })).map(({ type }) => type);
  expect(types.filter((type) => type !== 'PredictionsSealed').sort()).toEqual(
    ['EndpointCreated', 'NameClaimed', 'RevisionDeployed'].flatMap((type) => ENDPOINTS.map(() => type)),
  );
});
