import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Inject, Module, Param, type OnModuleDestroy } from '@nestjs/common';
import { EventStore, stream } from '@mledger/event-log';
import { Lifecycle, type ServiceDefinition } from '../src';
import { startTestService, startTestServices, type TestService } from '../src/testing';
import { mlflowProbe, ownProbe } from './probes';

let release: (() => void) | undefined;
let endedWith: string | undefined;

@Controller('api/mledger/v1/pipelines')
class SlowController implements OnModuleDestroy {
  constructor(
    @Inject(EventStore) private readonly store: EventStore,
    @Inject(Lifecycle) private readonly lifecycle: Lifecycle,
  ) {}

  @Get(':name')
  async slow(@Param('name') name: string) {
    await new Promise<void>((resolve) => (release = resolve));
    const { version } = await this.store.load(
      { kind: 'pipeline', initial: 0, decide: () => ({ events: [] }), evolve: (state: number) => state },
      stream('default', 'pipeline', name),
    );
    return { version, stopping: this.lifecycle.stopping };
  }

  onModuleDestroy() {
    endedWith = 'the database still there';
  }
}

@Module({ controllers: [SlowController] })
class SlowModule {}

const slow: ServiceDefinition = { name: 'pipelines', module: SlowModule, projections: [] };

describe('stopping a service', () => {
  it('is unready at once, lets nobody in, and answers whoever is inside', async () => {
    const test = await startTestService(slow, { listen: true });
    const url = `${test.url}/api/mledger/v1/pipelines/p`;
    const answer = fetch(url);
    while (!release) await new Promise((resolve) => setImmediate(resolve));
    const stopped = test.stop();
    expect(await test.service.unreadyReasons()).toEqual(['the service is stopping']);
    expect((await test.inject({ url: '/health/ready' })).statusCode).toBe(503);
    expect((await test.inject({ url: '/api/mledger/v1/pipelines/late' })).statusCode).toBe(503);
    await expect(fetch(url)).rejects.toThrow();
    release();
    expect(await (await answer).json()).toEqual({ version: 0, stopping: true });
    await stopped;
    expect(endedWith).toBe('the database still there');
  });
});

describe('two services behind one listener', () => {
  let together: Awaited<ReturnType<typeof startTestServices>>;
  let server: Server;
  let url: string;
  beforeAll(async () => {
    together = await startTestServices([ownProbe, mlflowProbe]);
    const [own, mlflow] = together.services as [TestService['service'], TestService['service']];
    server = createServer((request, response) => {
      const service = request.url?.startsWith('/api/2.0/') ? mlflow : own;
      service.handle(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await together.stop();
  });

  it('each answer their own requests, bodies and streams too', async () => {
    const json = { method: 'PUT', body: '{"a":1}', headers: { 'content-type': 'application/json' } };
    const own = await fetch(`${url}/api/mledger/v1/pipelines/p`, json);
    expect(await own.json()).toMatchObject({ name: 'p', body: { a: 1 } });
    const upload = await fetch(`${url}/api/2.0/mlflow-artifacts/artifacts/a`, { method: 'PUT', body: 'x'.repeat(1e6) });
    expect(await upload.json()).toMatchObject({ bytes: 1e6 });
    const tooMuch = await fetch(`${url}/api/mledger/v1/pipelines/p`, { ...json, body: `"${'x'.repeat(9e6)}"` });
    expect(tooMuch.status).toBe(413);
  });
});
