import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@mledger/service-kit/testing';
import { isAlive, node, PipelinesWorld } from './pipelines-world';

let world: PipelinesWorld;
let folder: string;
beforeAll(async () => {
  world = await PipelinesWorld.start();
  folder = await mkdtemp(join(tmpdir(), 'pipelines-spec-'));
});
afterAll(async () => {
  await world?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What is asked of /proc. */
const onLinux = process.platform === 'linux' ? it : it.skip;

describe('a pipeline', () => {
  it('is defined, listed, defined anew and deleted', async () => {
    const step = { name: 'only', command: ['true'] };
    const defined = await world.call('PUT', 'pipelines/plain', { steps: [step] });
    expect(defined).toMatchObject({
      status: 200,
      body: {
        name: 'plain',
        revision: 1,
        role: 'contributor',
        steps: [{ ...step, dependsOn: [], env: {}, timeoutSeconds: 3600, attemptsMax: 1 }],
      },
    });
    const triggers = [{ on: 'DriftDetected', monitor: 'delay' }];
    const again = await world.call('PUT', 'pipelines/plain', { steps: [step], triggers, role: 'admin' });
    expect(again.body).toMatchObject({
      pipelineId: defined.body.pipelineId,
      revision: 2,
      triggers: [{ cooldownSeconds: 3600 }],
    });
    expect((await world.call('GET', 'pipelines?limit=1')).body).toMatchObject({
      pipelines: [{ name: 'plain' }],
      next: null,
    });
    expect((await world.call('DELETE', 'pipelines/plain')).status).toBe(204);
    expect((await world.call('GET', 'pipelines/plain')).status).toBe(404);
    expect((await world.call('POST', 'pipelines/plain/runs')).status).toBe(404);
    expect((await world.call('PUT', 'pipelines/plain', { steps: [step] })).body.pipelineId).not.toBe(
      defined.body.pipelineId,
    );
  });

  it('is defined and deleted once by requests with a key, however often they come', async () => {
    const steps = [{ name: 'a', command: ['true'] }];
    const twice = async (method: 'PUT' | 'DELETE', body: object | undefined, key: string) => {
      const headers = { 'idempotency-key': key };
      const first = await world.call(method, 'pipelines/once', body, headers);
      expect((await world.call(method, 'pipelines/once', body, headers)).status).toBe(first.status);
      return first.status;
    };
    expect(await twice('PUT', { steps }, 'k1')).toBe(200);
    expect(await twice('PUT', { steps: [...steps, { name: 'b', command: ['true'] }] }, 'k2')).toBe(200);
    expect((await world.call('GET', 'pipelines/once')).body.revision).toBe(2);
    expect(await twice('DELETE', undefined, 'k3')).toBe(204);
    expect((await world.call('DELETE', 'pipelines/once')).status).toBe(404);
  });

  it.each([
    ['no steps', { steps: [] }],
    ['a command that is a line for a shell', { steps: [{ name: 'a', command: 'rm -rf /' }] }],
    ['an empty command', { steps: [{ name: 'a', command: [] }] }],
    ['NUL in an argument', { steps: [{ name: 'a', command: ['echo', 'a\u0000b'] }] }],
    ['a name that is a path', { steps: [{ name: '../a', command: ['true'] }] }],
    ['a circle', { steps: [{ name: 'a', command: ['true'], dependsOn: ['a'] }] }],
    ['an unknown dependency', { steps: [{ name: 'a', command: ['true'], dependsOn: ['b'] }] }],
    ['a variable of the platform', { steps: [{ name: 'a', command: ['true'], env: { MLFLOW_TRACKING_TOKEN: 'x' } }] }],
    ['a field that does not exist', { steps: [{ name: 'a', command: ['true'], shell: true }] }],
    ['a role that does not exist', { steps: [{ name: 'a', command: ['true'] }], role: 'root' }],
    ['an event that triggers nothing', { steps: [{ name: 'a', command: ['true'] }], triggers: [{ on: 'Whatever' }] }],
  ])('with %s is refused', async (_case, definition) => {
    expect(await world.call('PUT', 'pipelines/bad', definition)).toMatchObject({ status: 400, body: { status: 400 } });
    expect((await world.call('GET', 'pipelines/bad')).status).toBe(404);
  });

  it('says of a variable of the platform that it is one', async () => {
    const steps = [{ name: 'a', command: ['true'], env: { PATH: '/bin' } }];
    const { body } = await world.call('PUT', 'pipelines/bad', { steps });
    expect(body.detail).toBe('steps.0.env.PATH: is set by the platform');
  });

  it('takes no parameters for a run', async () => {
    await world.define('fixed', [{ name: 'a', command: ['true'] }]);
    expect((await world.call('POST', 'pipelines/fixed/runs', { params: { rate: 1 } })).status).toBe(400);
    expect((await world.call('GET', 'pipelines/fixed/runs')).body.runs).toEqual([]);
    expect((await world.call('POST', 'pipelines/fixed/runs', {})).status).toBe(201);
  });
});

describe('a run', () => {
  it('runs its steps in order, hands outputs on, and keeps what they print', async () => {
    const train = node(
      'console.error("to stderr"); console.log("working"); console.log(JSON.stringify({ runId: "r7", auc: 0.7 }))',
    );
    const check = node(
      'const o = JSON.parse(require("fs").readFileSync(process.env.MLEDGER_OUTPUTS_FILE)); console.log(JSON.stringify({ seen: o.train.runId }))',
    );
    await world.define('flow', [
      { name: 'check', command: check, dependsOn: ['train'] },
      { name: 'train', command: train },
    ]);
    const run = await world.runOnce('flow');
    expect(run).toMatchObject({
      status: 'succeeded',
      cause: { kind: 'request' },
      steps: [
        { name: 'check', status: 'succeeded', outputs: { seen: 'r7' } },
        {
          name: 'train',
          status: 'succeeded',
          outputs: { runId: 'r7', auc: 0.7 },
          attempts: [{ exitCode: 0, log: { truncated: false } }],
        },
      ],
    });
    const log = await world.logOf(run.pipelineRunId, 'train');
    expect(log.split('\n').sort()).toEqual(['', 'to stderr', 'working', '{"runId":"r7","auc":0.7}'].sort());
    const events = await world.eventsOf(run.pipelineRunId);
    expect(events.map(({ type }) => type)).toEqual([
      ...['RunTriggered', 'StepStarted', 'StepSucceeded', 'StepStarted', 'StepSucceeded', 'RunCompleted'],
    ]);
    expect(new Set(events.map(({ correlation }) => correlation)).size).toBe(1);
    events.slice(1, 5).forEach((event, index) => expect(event.cause).toBe(events[index]!.id));
    expect(events[1]!.actor).toBe(`pipeline:${run.pipelineId}`);
  });

  it('gives a step an environment of its own and nothing of the service’s', async () => {
    process.env.MLEDGER_SPEC_SECRET = 'do not pass on';
    const command = node(
      'console.log(JSON.stringify({ names: Object.keys(process.env).sort(), mine: process.env.MINE, cwd: process.cwd(), home: process.env.HOME }))',
    );
    await world.define('bare', [{ name: 'look', command, env: { MINE: 'yes' } }]);
    const { steps } = await world.runOnce('bare');
    delete process.env.MLEDGER_SPEC_SECRET;
    const { names, mine, cwd, home } = steps[0].outputs;
    expect(names).toEqual(
      [
        ...['AWS_ACCESS_KEY_ID', 'AWS_DEFAULT_REGION', 'AWS_ENDPOINT_URL_S3', 'AWS_REGION', 'AWS_SECRET_ACCESS_KEY'],
        ...[
          'AWS_SESSION_TOKEN',
          'HOME',
          'LAKECTL_CREDENTIALS_SESSION_TOKEN',
          'LAKECTL_SERVER_ENDPOINT_URL',
          'LANG',
          'MINE',
          'MLEDGER_ATTEMPT',
        ],
        ...['MLEDGER_OUTPUTS_FILE', 'MLEDGER_PIPELINE', 'MLEDGER_PIPELINE_RUN_ID', 'MLEDGER_STEP', 'MLEDGER_TENANT'],
        ...['MLEDGER_TOKEN', 'MLEDGER_URL', 'MLFLOW_REGISTRY_URI', 'MLFLOW_TRACKING_TOKEN', 'MLFLOW_TRACKING_URI'],
        ...['PATH', 'PWD', 'TMPDIR'],
      ].sort(),
    );
    expect({ mine, cwd }).toEqual({ mine: 'yes', cwd: home });
  });

  it.each([
    [
      'exits with a number',
      node('console.log("why"); process.exit(3)'),
      { reason: 'exit', exitCode: 3, message: 'exited with 3' },
    ],
    ['is killed', node('process.kill(process.pid, "SIGKILL")'), { reason: 'signal', message: 'was killed by SIGKILL' }],
    ['takes too long', node('setInterval(() => {}, 1000)'), { reason: 'timeout', message: 'ran longer than 1 s' }],
    ['does not exist', ['/no/such/program'], { reason: 'exit', exitCode: 127 }],
  ])('fails when a step %s, and goes no further', async (_case, command, failure) => {
    await world.define('failing', [
      { name: 'bad', command, timeoutSeconds: 1 },
      { name: 'after', command: ['true'], dependsOn: ['bad'] },
    ]);
    const run = await world.runOnce('failing');
    expect(run).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('step bad: '),
      steps: [
        { status: 'failed', attempts: [failure] },
        { status: 'waiting', attempts: [] },
      ],
    });
  });

  it.each([
    ['holds NUL', `'{"a":"\\\\u0000"}'`, {}],
    ['holds half a character', `'{"a":"\\\\ud800"}'`, {}],
    ['holds a number past all others', `'{"a":1e400}'`, {}],
    ['is nested too deep', `'{"a":' + '['.repeat(80) + ']'.repeat(80) + '}'`, {}],
    ['is too long, in one piece', `'{"a":"' + 'x'.repeat(40000) + '"}'`, {}],
    [
      'holds what Python writes of a metric that is not a number',
      `'{"auc":NaN,"loss":Infinity}'`,
      { auc: null, loss: 'Infinity' },
    ],
    ['holds an integer past 2^53', `'{"a":12345678901234567890}'`, { a: '12345678901234567890' }],
  ])('succeeds when its last line %s', async (_case, line, outputs) => {
    await world.define('odd', [{ name: 'print', command: node(`console.log(${line})`) }]);
    expect((await world.runOnce('odd')).steps).toMatchObject([{ status: 'succeeded', outputs, attempts: [{}] }]);
  });

  it('reads a character that comes in two pieces', async () => {
    const mark = join(folder, 'half');
    const command = node(
      `const fs = require("fs"), b = Buffer.from('{"a":"ä"}\\n'); fs.writeSync(1, b.subarray(0, 7));
       const t = setInterval(() => fs.existsSync(${JSON.stringify(mark)}) && (fs.writeSync(1, b.subarray(7)), clearInterval(t)), 10)`,
    );
    await world.define('halves', [{ name: 'print', command }]);
    const pipelineRunId = await world.trigger('halves');
    await eventually(async () => expect(await world.logOf(pipelineRunId, 'print')).not.toBe(''));
    await writeFile(mark, '');
    expect((await world.ended(pipelineRunId)).steps[0].outputs).toEqual({ a: 'ä' });
  });

  /** Ends when its child has begun, which leaves the step's group and goes on. */
  const leaving = (mark: string, childsEnvironment = '') => {
    const daemon = `require("fs").writeFileSync(${JSON.stringify(mark)}, String(process.pid)); setInterval(() => {}, 1000)`;
    return node(
      `const options = { detached: true, stdio: "inherit", ${childsEnvironment} };
       require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(daemon)}], options).unref();
       const t = setInterval(() => require("fs").existsSync(${JSON.stringify(mark)}) && clearInterval(t), 10)`,
    );
  };

  onLinux('ends with its step what has left the group of it', async () => {
    const mark = join(folder, 'left');
    await world.define('leaver', [{ name: 'leave', command: leaving(mark) }]);
    expect(await world.runOnce('leaver')).toMatchObject({ status: 'succeeded' });
    const pid = Number(await readFile(mark, 'utf8'));
    await eventually(() => expect(isAlive(pid)).toBe(false));
  });

  it('does not wait for what has left its step, cannot be found, and holds its output', async () => {
    const mark = join(folder, 'daemon');
    await world.define('daemon', [{ name: 'leave', command: leaving(mark, 'env: {}') }]);
    const run = await world.runOnce('daemon');
    process.kill(Number(await readFile(mark, 'utf8')), 'SIGKILL');
    expect(run).toMatchObject({ status: 'succeeded', steps: [{ attempts: [{ exitCode: 0 }] }] });
  });

  it('says so when its arguments are more than a process can be given', async () => {
    await world.define('vast', [{ name: 'echo', command: ['echo', ...Array<string>(70).fill('x'.repeat(32_000))] }]);
    expect((await world.runOnce('vast')).steps).toMatchObject([
      { status: 'failed', attempts: [{ reason: 'not-started', message: 'spawn E2BIG' }] },
    ]);
  });

  it('tries a step again, as often as it says', async () => {
    const mark = join(folder, 'tries');
    const command = node(
      `const fs = require("fs"); fs.appendFileSync(${JSON.stringify(mark)}, "x"); process.exit(fs.readFileSync(${JSON.stringify(mark)}).length < 3 ? 1 : 0)`,
    );
    await world.define('stubborn', [{ name: 'try', command, attemptsMax: 5 }]);
    const run = await world.runOnce('stubborn');
    expect(run).toMatchObject({
      status: 'succeeded',
      steps: [{ attempts: [{ attempt: 1, exitCode: 1 }, { attempt: 2 }, { attempt: 3, exitCode: 0 }] }],
    });
  });

  it('can be watched while it runs, and cancelled with all its processes', async () => {
    const mark = join(folder, 'pids');
    const note = `require("fs").appendFileSync(${JSON.stringify(mark)}, process.pid + " "); setInterval(() => {}, 1000);`;
    const command = node(
      `console.log("begun"); require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(note)}]); ${note}`,
    );
    await world.define('endless', [{ name: 'loop', command }]);
    const pipelineRunId = await world.trigger('endless');
    const pids = await eventually(async () => {
      expect(await world.logOf(pipelineRunId, 'loop')).toBe('begun\n');
      const noted = (await readFile(mark, 'utf8')).trim().split(' ').map(Number);
      expect(noted).toHaveLength(2);
      return noted;
    });
    const cancelled = await world.call('POST', `pipeline-runs/${pipelineRunId}/cancel`, { reason: 'enough' });
    expect(cancelled.body).toMatchObject({
      ...{ status: 'cancelled', message: 'enough' },
      steps: [{ status: 'failed', attempts: [{ reason: 'cancelled' }] }],
    });
    await eventually(() => pids.forEach((pid) => expect(isAlive(pid)).toBe(false)));
    expect((await world.call('POST', `pipeline-runs/${pipelineRunId}/cancel`, {})).status).toBe(409);
    const attempt = await eventually(async () => {
      const [last] = (await world.run(pipelineRunId)).steps[0].attempts;
      expect(last.log).not.toBeNull();
      return last;
    });
    expect(attempt).toMatchObject({ reason: 'cancelled', message: 'enough', log: { sizeBytes: 6, truncated: false } });
    expect(attempt.durationMs).toBeGreaterThan(0);
    expect(await world.logOf(pipelineRunId, 'loop')).toBe('begun\n');
    expect((await world.eventsOf(pipelineRunId)).slice(-3).map(({ type }) => type)).toEqual([
      ...['StepFailed', 'RunCompleted', 'StepStopped'],
    ]);
  });

  it('keeps beginning and end of a log that is too long', async () => {
    const command = node(
      'const l = "x".repeat(1023) + "\\n"; process.stdout.write("first\\n"); for (let i = 0; i < 12 * 1024; i++) process.stdout.write(l); process.stdout.write("last\\n")',
    );
    await world.define('chatty', [{ name: 'talk', command }]);
    const run = await world.runOnce('chatty');
    const [{ log }] = run.steps[0].attempts;
    expect(log.truncated).toBe(true);
    const text = await world.logOf(run.pipelineRunId, 'talk');
    expect(text.startsWith('first\n')).toBe(true);
    expect(text.endsWith('last\n')).toBe(true);
    expect(text).toMatch(/\n\.\.\. \d+ bytes left out \.\.\.\n/);
    expect(Buffer.byteLength(text)).toBe(log.sizeBytes);
  });
});

describe('drift', () => {
  it('starts the pipelines that wait for it, once in their cooldown, under its own correlation', async () => {
    await world.define('retrain', [{ name: 'train', command: ['true'] }], {
      triggers: [{ on: 'DriftDetected', monitor: 'delay' }],
    });
    await world.define('deaf', [{ name: 'train', command: ['true'] }], {
      triggers: [{ on: 'DriftDetected', monitor: 'other' }],
    });
    const correlation = await world.drift('delay');
    const run = await eventually(async () => {
      const { body } = await world.call('GET', 'pipelines/retrain/runs');
      expect(body.runs).toHaveLength(1);
      return body.runs[0];
    });
    expect(run).toMatchObject({ correlation, cause: { kind: 'event', eventType: 'DriftDetected', monitor: 'delay' } });
    const ended = await world.ended(run.pipelineRunId);
    expect(ended.status).toBe('succeeded');
    for (const event of await world.eventsOf(run.pipelineRunId)) expect(event.correlation).toBe(correlation);
    await world.drift('delay');
    const second = await world.drift('other');
    const other = await eventually(async () => {
      const { body } = await world.call('GET', 'pipelines/deaf/runs');
      expect(body.runs).toMatchObject([{ correlation: second }]);
      return body.runs[0];
    });
    expect((await world.ended(other.pipelineRunId)).status).toBe('succeeded');
    expect((await world.call('GET', 'pipelines/retrain/runs')).body.runs).toHaveLength(1);
  });
});

describe('the projections', () => {
  it('rebuilt from the log are what they were', async () => {
    for (const name of ['pipelines', 'pipeline_runs']) {
      const rows = () => world.kit.service.log.dataSource.query(`select ${name}::text as row from ${name} order by 1`);
      const before = await rows();
      expect(before.length).toBeGreaterThan(1);
      await world.kit.service.log.rebuild(name);
      expect(await rows()).toEqual(before);
    }
  });
});
