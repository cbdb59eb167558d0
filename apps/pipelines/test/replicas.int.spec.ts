import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InProcessBus } from '@mledger/event-bus';
import { Logger, startService, type RunningService } from '@mledger/service-kit';
import { pipelinesService } from '../src/pipelines.definition';
import { node, PipelinesWorld } from './pipelines-world';

let world: PipelinesWorld;
let bus: InProcessBus;
let replica: RunningService;
let folder: string;
beforeAll(async () => {
  world = await PipelinesWorld.start();
  const { runtime } = world.kit;
  bus = await InProcessBus.open({
    url: runtime.databaseUrl,
    logger: Logger.create({ service: 'test', level: 'warn' }),
  });
  replica = await startService(pipelinesService, { ...runtime, bus });
  folder = await mkdtemp(join(tmpdir(), 'pipelines-replicas-'));
});
afterAll(async () => {
  await replica?.stop();
  await bus?.close();
  await world?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('two replicas', () => {
  it('run each step of each run exactly once between them', async () => {
    const file = join(folder, 'marks');
    const mark = `require("fs").appendFileSync(${JSON.stringify(file)}, process.env.MLEDGER_PIPELINE_RUN_ID + " " + process.env.MLEDGER_STEP + "\\n")`;
    const steps = ['a', 'b', 'c'].map((name, index, names) => ({
      name,
      command: node(mark),
      dependsOn: names.slice(0, index),
    }));
    await world.define('shared', steps);
    const ids = await Promise.all(Array.from({ length: 10 }, () => world.trigger('shared')));
    const runs = await Promise.all(ids.map((id) => world.ended(id)));
    expect(runs.map(({ status }) => status)).toEqual(ids.map(() => 'succeeded'));
    const marks = (await readFile(file, 'utf8')).trim().split('\n');
    expect(marks.sort()).toEqual(ids.flatMap((id) => ['a', 'b', 'c'].map((name) => `${id} ${name}`)).sort());
  });
});
