import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get, Inject, Module } from '@nestjs/common';
import { EventStore } from '@mledger/event-log';
import { startPostgres, type Postgres } from '@mledger/infra';
import type { ServiceDefinition } from '../src';
import { eventually, startTestService, type TestService } from '../src/testing';

@Controller('api/mledger/v1/pipelines')
class HeadController {
  constructor(@Inject(EventStore) private readonly store: EventStore) {}

  @Get(':name')
  async head() {
    return { head: await this.store.head() };
  }
}

@Module({ controllers: [HeadController] })
class HeadModule {}

const probe: ServiceDefinition = { name: 'pipelines', module: HeadModule, projections: [] };
const url = '/api/mledger/v1/pipelines/p';
const credentials = { authorization: `Basic ${Buffer.from('AKIAJEXAMPLE:secret').toString('base64')}` };

describe('a service whose database is away', () => {
  let dataFolder: string;
  let postgres: Postgres;
  let test: TestService;
  beforeAll(async () => {
    dataFolder = await mkdtemp(join(tmpdir(), 'mledger-outage-'));
    postgres = await startPostgres({ dataFolder, durable: false });
    const runtime = { databaseUrl: postgres.url };
    test = await startTestService(probe, { runtime, env: { LOG_LEVEL: 'silent' } });
  }, 60_000);
  afterAll(async () => {
    await test?.stop();
    await postgres?.stop();
    await rm(dataFolder, { recursive: true, force: true });
  });

  it('says so, and when to try again, and comes back by itself', async () => {
    expect((await test.inject({ url })).json()).toEqual({ head: 0 });
    await postgres.stop();

    const refused = await test.inject({ url });
    expect(refused.statusCode).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.json()).toMatchObject({
      code: 'DEPENDENCY_UNAVAILABLE',
      detail: expect.stringContaining('does not answer now'),
    });
    const unready = await test.inject({ url: '/health/ready' });
    expect(unready.json().reasons).toEqual([expect.stringMatching(/^database: .*ECONNREFUSED/)]);
    // It lives, whoever asks: an orchestrator must not end it for a fault that is not its own.
    for (const headers of [{}, credentials])
      expect((await test.inject({ url: '/health/live', headers })).statusCode).toBe(200);
    const unchecked = await test.inject({ url, headers: credentials });
    expect(unchecked.statusCode).toBe(503);
    expect(unchecked.headers['retry-after']).toBe('1');

    const port = Number(new URL(postgres.url).port);
    postgres = await startPostgres({ dataFolder, port, persistent: false, durable: false });
    await eventually(async () => expect((await test.inject({ url })).statusCode).toBe(200));
    await eventually(async () => expect(await test.service.unreadyReasons()).toEqual([]));
  });
});
