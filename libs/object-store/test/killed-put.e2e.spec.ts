import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { openObjectStore } from '../src/index';

it.each(['acme/crash/new', 'acme/crash/whole'])(
  'kill -9 in the middle of a put of %s leaves no half of it',
  async (key) => {
    const root = mkdtempSync(path.join(tmpdir(), 'object-store-killed-'));
    const child = spawn(process.execPath, [path.join(__dirname, 'killed-put.child.cjs')], {
      env: { ...process.env, ROOT: root, KEY: key },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = await openObjectStore({ kind: 'disk', root, presignSecret: Buffer.alloc(32, 1) });
    expect((await store.list('')).objects.map((object) => object.key)).toEqual(['acme/crash/whole']);
    expect(await text((await store.get('acme/crash/whole')).body)).toBe('whole');
    rmSync(root, { recursive: true });
  },
);
