const net = require('node:net');
const { once } = require('node:events');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { waitFor, freePort } = require('../index.cjs');

describe('waitFor', () => {
  it('returns what the condition returns, and takes a throw for "not yet"', async () => {
    let calls = 0;
    const condition = () => {
      calls++;
      if (calls < 3) throw new Error('too early');
      return calls;
    };
    expect(await waitFor(condition, { what: 'the third call', intervalMs: 1 })).toBe(3);
  });

  it('says what it waited for, and the last reason', async () => {
    const never = () => Promise.reject(new Error('still closed'));
    await expect(waitFor(never, { what: 'the door to open', timeoutMs: 5, intervalMs: 1 })).rejects.toThrow(
      'Waited 5 ms for the door to open: still closed',
    );
  });
});

describe('freePort', () => {
  it('is a port that can be listened on, outside the range of outgoing connections', async () => {
    const port = await freePort();
    expect(port).toBeLessThan(32_768);
    const server = net.createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
  });
});

describe('the command', () => {
  const run = (...args) =>
    spawnSync(process.execPath, [path.join(__dirname, '..', 'cli.mjs'), ...args], { encoding: 'utf8' });

  it('explains itself, and refuses what it does not know', () => {
    expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('Usage:') });
    expect(run('down')).toMatchObject({ status: 2, stderr: expect.stringContaining('Usage:') });
    expect(run('up', 'redis')).toMatchObject({ status: 1, stderr: expect.stringContaining('Unknown: redis') });
  });
});
