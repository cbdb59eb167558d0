import { eventually } from '@mledger/service-kit/testing';
import { graphOfEchoes } from './onnx-graph';
import type { RegistryLog } from './registry-log';
import { MATRIX, ServingWorld, type ShownEndpoint } from './serving-world';

let world: ServingWorld;
let registry: RegistryLog;
beforeAll(async () => {
  world = await ServingWorld.start();
  ({ registry } = world);
});
afterAll(() => world?.stop());

const put = (name: string, model: string) => world.call('PUT', name, { model });
const infer: ServingWorld['infer'] = (...request) => world.infer(...request);
const invoke = (name: string, body: string, contentType = 'application/json') =>
  world.invoke(name, body, { 'content-type': contentType });

describe('an endpoint that follows an alias', () => {
  it('waits for a holder, deploys who gets the alias, and goes back with it', async () => {
    const first = await registry.createVersion('delay', 1, 'double.onnx');
    const second = await registry.createVersion('delay', 2, 'triple.onnx');
    expect(await world.follow('delay', 'models:/delay@champion')).toMatchObject({ ready: false, revisions: [] });
    expect((await infer('delay', { inputs: [MATRIX] })).statusCode).toBe(503);

    await registry.moveAlias(first);
    const answer = await eventually(async () => {
      const response = await infer('delay', { id: 'mine', inputs: [MATRIX] });
      expect(response.statusCode).toBe(200);
      return response;
    });
    expect(answer.json()).toEqual({
      model_name: 'delay',
      model_version: '1',
      id: 'mine',
      outputs: [
        { name: 'label', datatype: 'INT64', shape: [2], data: [6, 14] },
        { name: 'score', datatype: 'FP32', shape: [2, 1], data: [6, 14] },
      ],
    });

    await registry.moveAlias({ ...second, fromVersion: 1 });
    await eventually(async () => expect((await infer('delay', { inputs: [MATRIX] })).json().model_version).toBe('2'));
    await registry.moveAlias({ ...first, fromVersion: 2, reason: 'errors doubled' });
    await eventually(async () => expect((await infer('delay', { inputs: [MATRIX] })).json().model_version).toBe('1'));
  });

  it.each(['größte', '本番-2'])('follows %s, as the registry takes letters of any script', async (alias) => {
    const first = await registry.createVersion(`of-${alias.length}`, 1, 'double.onnx');
    await registry.moveAlias({ ...first, alias });
    const model = `models:/${first.model}@${alias}`;
    await eventually(async () => expect(await world.follow(first.model, model)).toMatchObject({ model, ready: true }));
  });

  it('keeps serving when the new version is no ONNX graph, and records why', async () => {
    const good = await registry.createVersion('steady', 1, 'double.onnx');
    const truncated = await registry.createVersion('steady', 2, Buffer.from('not an ONNX graph'));
    await registry.moveAlias(good);
    await eventually(async () => expect((await world.follow('steady', 'models:/steady@champion')).ready).toBe(true));
    await registry.moveAlias({ ...truncated, fromVersion: 1 });
    await registry.moveAlias({ ...good, alias: 'other' });
    await eventually(async () => {
      const [failed] = await world.kit.service.log.store.readLog({ afterSeq: 0, limit: 10, types: ['RevisionFailed'] });
      expect(failed?.data).toMatchObject({ endpoint: 'steady', reason: expect.stringContaining('not an ONNX graph') });
    });
    expect((await infer('steady', { inputs: [MATRIX] })).json().model_version).toBe('1');
  });

  it('is refused for a model that nobody registered, and for a version that cannot be served', async () => {
    expect((await put('ghost', 'models:/ghost@champion')).status).toBe(404);
    expect((await put('ghost', 'file:///etc/passwd')).status).toBe(400);
    await registry.createVersion('broken', 1, Buffer.from('not an ONNX graph'));
    await eventually(async () => expect((await put('broken', 'models:/broken/1')).status).toBe(422));
    expect((await world.kit.inject({ method: 'GET', url: '/api/mledger/v1/endpoints/broken' })).statusCode).toBe(404);
  });
});

describe('a model’s name', () => {
  const versionOf = (shown: ShownEndpoint) => shown.revisions.at(-1)!.model;
  const answerOf = async (name: string) => (await infer(name, { inputs: [MATRIX] })).json().outputs[1].data;

  it('means the model that has it now, and not one that was deleted', async () => {
    await registry.createVersion('phoenix', 1, 'double.onnx', 'a');
    await world.follow('phoenix-old', 'models:/phoenix/1');
    await registry.deleteModel('a', [1]);
    await registry.createVersion('phoenix', 1, 'triple.onnx', 'b');
    await eventually(async () => {
      expect((await put('phoenix-new', 'models:/phoenix/1')).status).toBe(200);
      expect(await answerOf('phoenix-new')).toEqual([9, 21]);
    });
    expect(await answerOf('phoenix-old')).toEqual([6, 14]);
  });

  it('is given up with a new one, under which its versions and aliases are found', async () => {
    await registry.moveAlias(await registry.createVersion('before', 1, 'double.onnx'));
    await eventually(async () => expect((await world.follow('renamed', 'models:/before@champion')).ready).toBe(true));
    await registry.renameModel('before', 'after');
    expect(versionOf(await world.follow('by-version', 'models:/after/1'))).toBe('models:/after/1');
    expect(versionOf(await world.follow('by-alias', 'models:/after@champion'))).toBe('models:/after/1');
    expect((await put('by-old-name', 'models:/before/1')).status).toBe(404);
    expect((await put('by-old-name', 'models:/before@champion')).status).toBe(404);
  });

  it('is followed under its new one by the endpoints that followed it', async () => {
    const first = await registry.createVersion('young', 1, 'double.onnx');
    await registry.moveAlias(first);
    await eventually(async () => expect((await world.follow('follower', 'models:/young@champion')).ready).toBe(true));
    await world.follow('pinned-to-one', 'models:/young/1');
    await registry.renameModel('young', 'old');
    const second = await registry.createVersion('old', 2, 'triple.onnx', 'young');
    await registry.moveAlias({ ...second, fromVersion: 1 });
    await eventually(async () => expect(await answerOf('follower')).toEqual([9, 21]));
    expect((await world.call('GET', 'follower')).body.model).toBe('models:/old@champion');
    expect((await world.call('GET', 'pinned-to-one')).body.model).toBe('models:/old/1');
  });
});

describe('a request with an idempotency key', () => {
  it('is done once: sent again it gets the first answer, and undoes nothing', async () => {
    await registry.createVersion('once', 1, 'double.onnx');
    await registry.createVersion('once', 2, 'triple.onnx');
    const key = (text: string) => ({ 'idempotency-key': text });
    await eventually(async () => {
      const made = await world.call('PUT', 'once', { model: 'models:/once/1' }, key('make'));
      expect(made.status).toBe(200);
    });
    await world.follow('once', 'models:/once/2');
    const again = await world.call('PUT', 'once', { model: 'models:/once/1' }, key('make'));
    expect(again).toMatchObject({ status: 200, body: { shares: [{ revision: 2 }], model: 'models:/once/2' } });
    for (let time = 1; time <= 2; time += 1)
      expect((await world.call('DELETE', 'once', undefined, key('end'))).status).toBe(204);
    expect((await world.call('DELETE', 'once')).status).toBe(404);
  });

  it('waits for no connection beside the one that it holds, however many come at once', async () => {
    await registry.createVersion('crowd', 1, 'double.onnx');
    await world.follow('crowd-0', 'models:/crowd/1');
    const all = Array.from({ length: 24 }, (_, index) => put(`crowd-${index % 12}`, 'models:/crowd@champion'));
    const statuses = (await Promise.all(all)).map(({ status }) => status);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  });
});

describe('a prediction', () => {
  beforeAll(async () => {
    await registry.createVersion('pinned', 1, 'double.onnx');
    await world.follow('pinned', 'models:/pinned/1');
  });

  it('is published as one payload before it is answered, and refused requests are too', async () => {
    const ok = await infer('pinned', { inputs: [MATRIX] });
    const bad = await infer('pinned', { inputs: [{ ...MATRIX, shape: [1, 3], data: [1, 2, 3] }] });
    expect(bad.statusCode).toBe(400);
    const requestId = ok.headers['x-request-id'];
    await eventually(() => {
      expect(world.payloads.find((payload) => payload.requestId === requestId)).toMatchObject({
        endpoint: 'pinned',
        modelVersion: 1,
        status: 200,
        inputs: [{ name: 'input', shape: [2, 2], data: [1, 2, 3, 4] }],
        outputs: [{ name: 'label' }, { name: 'score', data: [6, 14] }],
      });
      expect(world.payloads.some(({ status, endpoint }) => endpoint === 'pinned' && status === 400)).toBe(true);
    });
  });

  it('is sealed: the log holds the root over what was published', async () => {
    await infer('pinned', { inputs: [MATRIX] });
    const sealed = await eventually(async () => {
      const [seal] = await world.kit.service.log.store.readLog({ afterSeq: 0, limit: 1, types: ['PredictionsSealed'] });
      expect(seal).toBeDefined();
      return seal!.data as { count: number; merkleRoot: string };
    }, 30_000);
    expect(sealed.count).toBeGreaterThan(0);
    expect(sealed.merkleRoot).toMatch(/^[0-9a-f]{64}$/);
  });

  it('travels as binary tensors both ways', async () => {
    const tensor = Buffer.from(new Float32Array([1, 2, 3, 4]).buffer);
    const { data: _data, ...described } = MATRIX;
    const json = Buffer.from(
      JSON.stringify({
        parameters: { binary_data_output: true },
        inputs: [{ ...described, parameters: { binary_data_size: tensor.byteLength } }],
        outputs: [{ name: 'score' }],
      }),
    );
    const answer = await infer('pinned', Buffer.concat([json, tensor]), {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(json.byteLength),
    });
    const jsonBytes = Number(answer.headers['inference-header-content-length']);
    expect(JSON.parse(answer.rawPayload.subarray(0, jsonBytes).toString('utf8')).outputs).toEqual([
      { name: 'score', datatype: 'FP32', shape: [2, 1], parameters: { binary_data_size: 8 } },
    ]);
    expect([...new Float32Array(new Uint8Array(answer.rawPayload.subarray(jsonBytes)).buffer)]).toEqual([6, 14]);
  });

  it('reads frames as pandas writes them', async () => {
    await registry.createVersion('echo', 1, graphOfEchoes());
    await world.follow('echo', 'models:/echo/1');
    const csv = '\uFEFFtext,flag,large\r\n07,True,9007199254740993\r\n\r\n1e3,false,-5\r\nNA,0,2.0\r\n\r\n';
    expect((await invoke('echo', csv, 'text/csv')).json()).toEqual({
      predictions: [
        { text_again: '07', flag_again: true, large_again: '9007199254740993' },
        { text_again: '1e3', flag_again: false, large_again: -5 },
        { text_again: 'NA', flag_again: false, large_again: 2 },
      ],
    });
    const scores = { predictions: ['NaN', 'NaN', 'Infinity', '-Infinity', 7].map((score) => ({ label: expect.anything(), score: [score] })) }; // prettier-ignore
    expect((await invoke('pinned', 'a,b\n,1\nnan,1\ninf,1\n-Infinity,1\n.5,3\n', 'text/csv')).json()).toEqual(scores);
    const rows = { predictions: [{ label: 6, score: [6] }] };
    for (const frame of [{ columns: [0, 1], data: [[1, 2]] }, { data: [[1, 2]] }])
      expect((await invoke('pinned', JSON.stringify({ dataframe_split: frame }))).json()).toEqual(rows);
    const twice = { dataframe_split: { columns: ['large', 'large', 'text', 'flag'], data: [[1, 2, 'x', true]] } };
    expect((await invoke('echo', JSON.stringify(twice))).json().message).toBe('column large stands twice');
    const instances = { instances: [{ input: [1, 2] }] };
    expect((await invoke('pinned', JSON.stringify(instances))).json()).toEqual(rows);
  });

  it('gives all outputs where none are named', async () => {
    expect((await infer('pinned', { inputs: [MATRIX], outputs: [] })).json().outputs).toHaveLength(2);
  });

  it('answers MLflow scoring in each of its forms', async () => {
    const rows = [
      { label: 6, score: [6] },
      { label: 14, score: [14] },
    ];
    const split = { dataframe_split: { columns: ['a', 'b'], data: [[1, 2], [3, 4]] } }; // prettier-ignore
    const records = { dataframe_records: [{ a: 1, b: 2 }, { a: 3, b: 4 }] }; // prettier-ignore
    const inputs = { inputs: { input: [[1, 2], [3, 4]] } }; // prettier-ignore
    const instances = { instances: [[1, 2], [3, 4]] }; // prettier-ignore
    expect((await invoke('pinned', JSON.stringify(split))).json()).toEqual({ predictions: rows });
    expect((await invoke('pinned', JSON.stringify(records))).json()).toEqual({ predictions: rows });
    expect((await invoke('pinned', 'a,b\n1,2\n3,4\n', 'text/csv')).json()).toEqual({ predictions: rows });
    const tensors = { label: [6, 14], score: [[6], [14]] };
    expect((await invoke('pinned', JSON.stringify(inputs))).json()).toEqual({ predictions: tensors });
    expect((await invoke('pinned', JSON.stringify(instances))).json()).toEqual({ predictions: tensors });
  });
});

describe('metadata', () => {
  it('names versions, inputs and outputs as the graph has them', async () => {
    const answer = await world.kit.inject({ method: 'GET', url: '/v2/models/pinned' });
    expect(answer.json()).toEqual({
      name: 'pinned',
      versions: ['1'],
      platform: 'onnx_onnxv1',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [
        { name: 'label', datatype: 'INT64', shape: [-1] },
        { name: 'score', datatype: 'FP32', shape: [-1, 1] },
      ],
    });
  });
});
