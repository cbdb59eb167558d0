import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@mledger/service-kit/testing';
import { graphThatReads, signedBy } from './onnx-graph';
import { MATRIX, ServingWorld } from './serving-world';

let world: ServingWorld;
beforeAll(async () => {
  world = await ServingWorld.start();
});
afterAll(() => world?.stop());

const DOUBLE = readFileSync(join(__dirname, 'fixtures/double.onnx'));
let models = 0;
const newModel = () => `model-${(models += 1)}`;

const HOSTILE: [what: string, graph: Buffer][] = [
  ['is empty', Buffer.alloc(0)],
  ['is text', Buffer.from('not an ONNX graph')],
  ['is an archive', Buffer.from('504b0304140000000800', 'hex')],
  ['is half a graph', DOUBLE.subarray(0, DOUBLE.byteLength / 2)],
  ['lacks its last byte', DOUBLE.subarray(0, -1)],
  ['is of ONNX Runtime’s own format', Buffer.concat([Buffer.from([24, 0, 0, 0]), Buffer.from('ORTM'), DOUBLE])],
  // The tests run where there is a package.json, as a service may run where its keys are.
  ['reads a file of the working directory as a weight', graphThatReads('package.json', 'weight')],
  ['reads a file of the working directory as a constant', graphThatReads('package.json', 'constant')],
  ['reads a file by a roundabout way', graphThatReads('node_modules/../package.json', 'weight')],
  ['reads an absolute path', graphThatReads('/etc/passwd', 'weight')],
  ['reads outside its folder', graphThatReads('../../../../../../etc/passwd', 'constant')],
];

describe('a version whose graph', () => {
  it.each(HOSTILE)('%s is refused, and no endpoint is made', async (_what, graph) => {
    const name = newModel();
    await world.registry.createVersion(name, 1, graph);
    const { body } = await eventually(async () => {
      const answer = await world.call('PUT', name, { model: `models:/${name}/1` });
      expect(answer.status).toBe(422);
      return answer;
    });
    expect(body).toMatchObject({ code: 'MODEL_UNUSABLE', detail: expect.any(String) });
    expect(body.detail).not.toMatch(/passwd|package\.json|onnxruntime|\/dev|\.(cc|h):\d/);
    expect((await world.call('GET', name)).status).toBe(404);
  });

  it.each(HOSTILE)('%s does not take the place of one that serves', async (_what, graph) => {
    const name = newModel();
    const good = await world.registry.createVersion(name, 1, 'double.onnx');
    const bad = await world.registry.createVersion(name, 2, graph);
    await world.registry.moveAlias(good);
    await eventually(async () => expect((await world.follow(name, `models:/${name}@champion`)).ready).toBe(true));
    await world.registry.moveAlias({ ...bad, fromVersion: 1 });
    await eventually(async () => {
      const failed = await world.kit.service.log.store.readLog({ afterSeq: 0, limit: 1000, types: ['RevisionFailed'] });
      expect(failed.map(({ data }) => data)).toContainEqual(expect.objectContaining({ endpoint: name, revision: 2 }));
    });
    expect((await world.infer(name, { inputs: [MATRIX] })).json()).toMatchObject({ model_version: '1' });
  });
});

describe('a version whose bytes', () => {
  const others: [what: string, bytes: (graph: Buffer) => Buffer][] = [
    ['are others now', (graph) => Buffer.from(graph).fill(7, 100)],
    ['are fewer now', (graph) => graph.subarray(0, 100)],
    ['are more now', (graph) => Buffer.concat([graph, graph])],
  ];
  const expectUnusable = (name: string) =>
    eventually(async () => expect((await world.call('PUT', name, { model: `models:/${name}/1` })).status).toBe(422));

  it.each(others)('%s is refused', async (_what, bytes) => {
    const name = newModel();
    // A graph that is loaded already would not be fetched again.
    const graph = signedBy(name, DOUBLE);
    const { files } = await world.registry.createVersion(name, 1, graph);
    await world.kit.runtime.objectStore.put(files[0]!.objectKey, bytes(graph));
    await expectUnusable(name);
  });

  it('are gone is refused', async () => {
    const name = newModel();
    const { files } = await world.registry.createVersion(name, 1, signedBy(name, DOUBLE));
    await world.kit.runtime.objectStore.delete(files[0]!.objectKey);
    await expectUnusable(name);
  });
});

describe('an endpoint', () => {
  it.each([
    'models:/a@',
    'models:/a@b c',
    'models:/a@b.c',
    'file:///etc/passwd',
    'models:/a/../b',
    'models:/a@b@c',
    'models:/a/0',
    'models:/a/-1',
    'models:/a',
    'runs:/a/b',
    '',
  ])('does not follow %s', async (model) => {
    expect((await world.call('PUT', 'x', { model })).status).toBe(400);
  });

  it.each(['a%2Fb', '..', '%2e%2e', 'a%00', '-a', 'a'.repeat(129), '%E0%A4%A'])('is not called %s', async (name) => {
    const { status } = await world.call('PUT', name, { model: 'models:/a/1' });
    expect([400, 404]).toContain(status);
  });
});
