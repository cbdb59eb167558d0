const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { once } = require('node:events');
const { Client } = require('pg');
const { startPostgres, startTestPostgres, createDatabase, waitFor, FolderHeldError } = require('../index.cjs');
const { newFolder, holdInProcess, isRunning, untilGone, killGuardOf } = require('./processes.cjs');

async function query(url, sql) {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('Postgres', () => {
  const folder = newFolder();
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('is durable, speaks UTF-8, listens on 127.0.0.1 alone, and finds its data again', async () => {
    const dataFolder = path.join(folder, 'again');
    const first = await startPostgres({ dataFolder });
    await query(first.url, 'create table kept as select 42 as answer');
    const shown = {};
    for (const name of [
      'server_encoding',
      'synchronous_commit',
      'fsync',
      'listen_addresses',
      'max_prepared_transactions',
    ]) {
      shown[name] = (await query(first.url, `show ${name}`))[0][name];
    }
    expect(shown).toEqual({
      server_encoding: 'UTF8',
      synchronous_commit: 'on',
      fsync: 'on',
      listen_addresses: '127.0.0.1',
      max_prepared_transactions: '0',
    });
    expect(await query(first.url, "select upper('ü') as upper, 'Z' < 'a' as by_code_point")).toEqual([
      { upper: 'Ü', by_code_point: true },
    ]);
    expect(fs.statSync(path.join(dataFolder, 'password')).mode & 0o777).toBe(0o600);
    await first.stop();
    await first.stop();
    expect(isRunning(first.pid)).toBe(false);

    const second = await startPostgres({ dataFolder });
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await second.stop();
  });

  it('refuses a second start on the same folder and says who holds it', async () => {
    const dataFolder = path.join(folder, 'held');
    const holder = holdInProcess('postgres', dataFolder);
    await holder.started();
    const refused = await startPostgres({ dataFolder }).catch((error) => error);
    expect(refused).toBeInstanceOf(FolderHeldError);
    expect(refused.pid).toBe(holder.pid);
    await holder.die();
    const own = await startPostgres({ dataFolder });
    await expect(startPostgres({ dataFolder })).rejects.toThrow(`held by this process (${process.pid})`);
    await own.stop();
  });

  it('stops when the process that started it is killed, and keeps what was committed', async () => {
    const dataFolder = path.join(folder, 'owner-killed');
    const holder = holdInProcess('postgres', dataFolder);
    const { url, pid } = await holder.started();
    await query(url, 'create table kept as select 1 as n');
    await holder.die();
    await untilGone(pid);
    const back = await startPostgres({ dataFolder });
    expect(await query(back.url, 'select n from kept')).toEqual([{ n: 1 }]);
    await back.stop();
  });

  it('comes back after kill -9 of everything, sessions still open', async () => {
    const dataFolder = path.join(folder, 'all-killed');
    const holder = holdInProcess('postgres', dataFolder);
    const { url, pid } = await holder.started();
    const session = new Client({ connectionString: url });
    session.on('error', () => undefined);
    await session.connect();
    await session.query('create table kept as select 1 as n');
    const busy = session.query('select pg_sleep(600)').catch((error) => error);
    killGuardOf(pid);
    process.kill(pid, 'SIGKILL');
    await holder.die();
    const back = await startPostgres({ dataFolder });
    expect(await query(back.url, 'select n from kept')).toEqual([{ n: 1 }]);
    expect(await busy).toBeInstanceOf(Error);
    await back.stop();
  });

  it('stops a server that a killed process left running, then starts its own', async () => {
    const dataFolder = path.join(folder, 'orphan');
    const holder = holdInProcess('postgres', dataFolder);
    const { pid } = await holder.started();
    killGuardOf(pid);
    await holder.die();
    expect(isRunning(pid)).toBe(true);
    const said = [];
    const back = await startPostgres({ dataFolder, log: (line) => said.push(line) });
    expect(isRunning(pid)).toBe(false);
    expect(said.join('\n')).toContain(`process ${pid}`);
    await back.stop();
  });

  it('redoes an initdb that was killed in the middle', async () => {
    const dataFolder = path.join(folder, 'half');
    const holder = holdInProcess('postgres', dataFolder);
    const halfMade = () => fs.readdirSync(dataFolder).find((name) => name.startsWith('cluster.half-'));
    await waitFor(() => fs.existsSync(dataFolder) && halfMade(), { what: 'initdb to begin' });
    await holder.die();
    expect(fs.existsSync(path.join(dataFolder, 'cluster'))).toBe(false);
    const back = await startPostgres({ dataFolder });
    expect(await query(back.url, 'select 1 as n')).toEqual([{ n: 1 }]);
    expect(halfMade()).toBeUndefined();
    await back.stop();
  });

  it('is not held up by a pid file whose number now belongs to another program', async () => {
    const dataFolder = path.join(folder, 'stranger');
    const first = await startPostgres({ dataFolder });
    await first.stop();
    fs.writeFileSync(path.join(dataFolder, 'cluster', 'postmaster.pid'), `${process.pid}\n`);
    const second = await startPostgres({ dataFolder });
    await second.stop();
  });

  it('names a port that is taken', async () => {
    const other = net.createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address();
    await expect(startPostgres({ dataFolder: path.join(folder, 'port'), port })).rejects.toThrow(`Port ${port}`);
    other.close();
  });

  it('works below a folder that only its owner may enter, and leaves nothing when it is not persistent', async () => {
    const closed = path.join(folder, 'closed');
    fs.mkdirSync(closed, { mode: 0o700 });
    const dataFolder = path.join(closed, 'data');
    for (const persistent of [true, false]) {
      const server = await startPostgres({ dataFolder, persistent });
      await query(server.url, 'create table if not exists kept (n int)');
      const [{ data_directory: place }] = await query(server.url, 'show data_directory');
      await server.stop();
      expect(fs.existsSync(place)).toBe(persistent);
    }
    expect(fs.existsSync(dataFolder)).toBe(false);
  });

  it('tells what ended it', async () => {
    const server = await startTestPostgres();
    process.kill(server.pid, 'SIGKILL');
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await server.stop();
  });
});

describe('a throw-away Postgres', () => {
  it('makes databases, also when several ask for the same one, and removes its folder', async () => {
    const server = await startTestPostgres();
    const [{ data_directory: place }] = await query(server.url, 'show data_directory');
    const urls = await Promise.all(
      ['One-of_1', 'same', 'same', 'same'].map((name) => createDatabase(server.url, name)),
    );
    const names = await Promise.all(urls.map((url) => query(url, 'select current_database() as name')));
    expect(names.flat().map(({ name }) => name)).toEqual(['One-of_1', 'same', 'same', 'same']);
    await expect(createDatabase(server.url, 'a/b')).rejects.toThrow('"a/b"');
    await server.stop();
    expect(fs.existsSync(path.dirname(place))).toBe(false);
  });

  it('sweeps away what a killed run left', async () => {
    const holder = holdInProcess('test');
    const { url, pid } = await holder.started();
    const [{ data_directory: place }] = await query(url, 'show data_directory');
    await holder.die();
    await untilGone(pid);
    expect(fs.existsSync(place)).toBe(true);
    const next = await startTestPostgres();
    expect(fs.existsSync(path.dirname(place))).toBe(false);
    await next.stop();
  });
});
