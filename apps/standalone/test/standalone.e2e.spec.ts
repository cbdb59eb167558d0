import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, type TestProcess } from '@mledger/service-kit/testing';
import { READY, spawnStandalone } from './spawn-standalone';

const home = mkdtempSync(join(tmpdir(), 'mledger-standalone-'));
const running: TestProcess[] = [];

const start = (environment?: Record<string, string>) => {
  const standalone = spawnStandalone(home, environment);
  running.push(standalone);
  return standalone;
};

afterAll(async () => {
  await Promise.all(running.map((standalone) => standalone.stop('SIGKILL')));
  rmSync(home, { recursive: true, force: true });
});

describe('standalone', () => {
  it('starts on a fresh folder, refuses a second instance, survives kill -9, and stops in order', async () => {
    const first = start();
    const url = await first.says(READY);
    expect(first.output).toContain('access key id');
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const created = await fetch(`${url}/api/2.0/mlflow/experiments/create`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'kept' }),
    });
    expect(created.status).toBe(200);

    const second = start();
    expect((await second.ended).code).not.toBe(0);
    expect(second.output).toContain(`is held by process ${first.pid}`);

    await first.stop('SIGKILL');
    const again = start();
    const found = await fetch(`${await again.says(READY)}/api/2.0/mlflow/experiments/get-by-name?experiment_name=kept`);
    expect(found.status).toBe(200);
    expect(await again.stop()).toEqual({ code: 0, signal: null });
    expect(readdirSync(home)).not.toContain('owner.json');
  }, 180_000);

  it('names a taken port', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const standalone = start({ MLEDGER_PORT: String(port) });
    expect((await standalone.ended).code).toBe(1);
    expect(standalone.output).toContain(`port ${port} of 127.0.0.1 is taken`);
    await new Promise((resolve) => taken.close(resolve));
  });

  it('names the variable that is wrong', async () => {
    const standalone = start({ MLEDGER_PORT: 'http' });
    expect((await standalone.ended).code).toBe(78);
    expect(standalone.output).toContain('MLEDGER_PORT');
  });

  it('refuses a foreign Host, a foreign Origin and an unlisted route, each in the form of its API', async () => {
    const standalone = start();
    const url = await standalone.says(READY);
    const { port } = new URL(url);
    const origin = { origin: 'https://evil.example', 'content-type': 'application/json' };
    const foreign = await fetch(`${url}/api/2.0/mlflow/experiments/search`, {
      method: 'POST',
      headers: origin,
      body: '{}',
    });
    expect(foreign.status).toBe(403);
    expect(await foreign.json()).toMatchObject({ error_code: 'PERMISSION_DENIED' });
    const unlisted = await fetch(`${url}/api/v1/nothing`);
    expect(unlisted.status).toBe(404);
    expect(await unlisted.json()).toEqual({ message: 'invalid API endpoint' });
    await eventually(async () => expect((await fetch(`http://localhost:${port}/health/ready`)).status).toBe(200));
    await standalone.stop();
  }, 60_000);
});
