import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createTestDatabase,
  eventually,
  SERVING_URL,
  type TestDatabase,
  TestProcess,
} from '@mledger/service-kit/testing';
import { isAlive, node } from './pipelines-world';

let database: TestDatabase;
let home: string;
/** Where the service makes the folders of steps. */
let folder: string;
const services: TestProcess[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  home = await mkdtemp(join(tmpdir(), 'pipelines-crash-'));
  folder = await mkdtemp(join(tmpdir(), 'pipelines-crash-steps-'));
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop('SIGKILL')));
  await database?.drop();
  for (const path of [home, folder]) await rm(path, { recursive: true, force: true });
});

/** Starts the built service on the same database as before. @returns its URL once it answers */
async function startProcess(): Promise<{ service: TestProcess; url: string }> {
  const environment = { DATABASE_URL: database.url, MLEDGER_HOME: home, TMPDIR: folder };
  const service = TestProcess.spawn(join(__dirname, 'service-process.cjs'), environment);
  services.push(service);
  return { service, url: await service.says(SERVING_URL) };
}

async function call(url: string, method: string, path: string, body?: object) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/api/mledger/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
  return (await answer.json()) as { pipelineRunId: string; status: string; steps: { attempts: object[] }[] };
}

/** A folder and its log for each step. */
const stepFolders = async () => (await readdir(folder)).filter((name) => name.startsWith('mledger-step-'));
const marks = async (file: string) => (await readFile(file, 'utf8')).trim().split('\n');

describe('kill -9 while a step runs', () => {
  it.each([
    ['records it as lost, without trying again', 1, 'failed', [{ reason: 'lost' }]],
    ['tries it again where the pipeline allows that', 2, 'succeeded', [{ reason: 'lost' }, { exitCode: 0 }]],
  ])('%s, and leaves no orphan at work, nor its folder', async (_case, attemptsMax, status, attempts) => {
    const file = join(home, `marks-${attemptsMax}`);
    // The first attempt never ends by itself, and nor does what it starts outside its group.
    const script = `const endless = "setInterval(() => {}, 1000)", isFirst = process.env.MLEDGER_ATTEMPT === "1";
      const { spawn } = require("child_process"), options = { detached: true, stdio: "ignore" };
      const stray = isFirst ? spawn(process.execPath, ["-e", endless], options).pid : 0;
      require("fs").appendFileSync(${JSON.stringify(file)}, process.env.MLEDGER_ATTEMPT + " " + process.pid + " " + stray + "\\n");
      if (isFirst) eval(endless)`;
    const first = await startProcess();
    const name = `crash-${attemptsMax}`;
    await call(first.url, 'PUT', `pipelines/${name}`, {
      steps: [{ name: 'work', command: node(script), attemptsMax }],
    });
    const { pipelineRunId } = await call(first.url, 'POST', `pipelines/${name}/runs`);
    const [line] = await eventually(() => marks(file));
    await first.service.stop('SIGKILL');
    const [, pid, stray] = line!.split(' ').map(Number);
    await eventually(() => expect(isAlive(pid!)).toBe(false));
    expect((await stepFolders()).length).toBeGreaterThan(0);

    const second = await startProcess();
    const run = await eventually(async () => {
      const found = await call(second.url, 'GET', `pipeline-runs/${pipelineRunId}`);
      expect(found.status).toBe(status);
      return found;
    }, 30_000);
    expect(run.steps[0]!.attempts).toMatchObject(attempts);
    expect((await marks(file)).map((mark) => mark.split(' ')[0])).toEqual(
      attempts.map((_, index) => String(index + 1)),
    );
    if (process.platform === 'linux') await eventually(() => expect(isAlive(stray!)).toBe(false));
    else process.kill(stray!, 'SIGKILL');
    await second.service.stop();
    expect(await stepFolders()).toEqual([]);
  });
});
