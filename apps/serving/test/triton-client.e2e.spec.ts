import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from '@mledger/infra';
import { describeWith } from '@mledger/infra/jest';
import { graphOfEchoes } from './onnx-graph';
import { ServingWorld } from './serving-world';

const run = promisify(execFile);

describeWith(['python'], 'the unmodified tritonclient', () => {
  let world: ServingWorld;
  beforeAll(async () => {
    world = await ServingWorld.start({ listen: true });
    await world.registry.createVersion('delay', 1, 'double.onnx');
    await world.registry.createVersion('echo', 1, graphOfEchoes());
    for (const name of ['delay', 'echo']) await world.follow(name, `models:/${name}/1`);
  });
  afterAll(() => world?.stop());

  it('asks, predicts in JSON and in binary tensors, and understands each refusal', async () => {
    const { python } = await pythonEnvironment({ name: 'triton', requirements: ['tritonclient[http]==2.73.0'] });
    const script = join(__dirname, 'python/triton_client.py');
    const { stdout } = await run(python, [script, new URL(world.kit.url).host], { env: { PATH: process.env.PATH } });
    const scores = { label: [6, 14], score: [[6], [14]] };
    const echo = [true, [true, false, true], ['9223372036854775807', '-9223372036854775808', '0']];
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toEqual({
      live: true,
      ready: true,
      model_ready: [true, true, false],
      extensions: ['binary_tensor_data'],
      metadata: {
        name: 'delay',
        versions: ['1'],
        platform: 'onnx_onnxv1',
        inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 2] }],
        outputs: [
          { name: 'label', datatype: 'INT64', shape: [-1] },
          { name: 'score', datatype: 'FP32', shape: [-1, 1] },
        ],
      },
      json: ['mine', '1', scores],
      binary: [expect.any(String), '1', scores],
      binary_in: scores,
      binary_out: { score: scores.score },
      all_outputs: scores.label,
      compressed: scores,
      deflated: scores,
      echo_json: echo,
      echo_binary: echo,
      concurrent: true,
      nobody: ['404', 'there is no endpoint nobody'],
      no_version: ['404', 'endpoint delay serves no version 9'],
      other_type: ['400', 'input input is FP64; the model takes FP32'],
      other_shape: ['400', expect.stringContaining('has shape [1, 4]; the model takes [-1, 2]')],
      no_metadata: ['404', 'there is no endpoint nobody'],
      no_repository: ['404', expect.any(String)],
    });
  }, 180_000);
});
