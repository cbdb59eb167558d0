import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InProcessBus } from '@mledger/event-bus';
import { Logger, startService, type RunningService } from '@mledger/service-kit';
import { eventually } from '@mledger/service-kit/testing';
import { pipelinesService } from '../src/pipelines.definition';
import { isAlive, node, PipelinesWorld } from './pipelines-world';

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

  it('stop what they run when their lock is lost, and then one of them tries again', async () => {
    const file = join(folder, 'cut-off');
    const script = `require("fs").appendFileSync(${JSON.stringify(file)}, process.pid + "\\n");
      if (process.env.MLEDGER_ATTEMPT === "1") setInterval(() => {}, 1000)`;
    await world.define('cut-off', [{ name: 'work', command: node(script), attemptsMax: 2 }]);
    const pipelineRunId = await world.trigger('cut-off');
    const pids = async () => (await readFile(file, 'utf8')).trim().split('\n').map(Number);
    const [first] = await eventually(pids);
    await world.kit.service.log.dataSource.query(CUT_OFF);
    const run = await world.ended(pipelineRunId);
    expect(run).toMatchObject({ status: 'succeeded', steps: [{ attempts: [{ reason: 'lost' }, { exitCode: 0 }] }] });
    expect(isAlive(first!)).toBe(false);
    expect(await pids()).toHaveLength(2);
  });
});

/** Ends the database sessions that hold locks of runs. */
const CUT_OFF = `
  select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and query like 'select pg_try_advisory_lock(%' and pid <> pg_backend_pid()`;
