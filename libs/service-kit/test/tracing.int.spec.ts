import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Body, Controller, Inject, Injectable, Module, Put } from '@nestjs/common';
import type { Reaction } from '@mledger/event-bus';
import { EventStore, stream, type Sequenced } from '@mledger/event-log';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-node';
import { Caller, commandContext, logContext, type ServiceDefinition } from '../src';
import { eventually, startTestService, type TestService } from '../src/testing';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

const seen: { correlation?: string; traceparent?: string }[] = [];

@Injectable()
class ListenReaction implements Reaction {
  readonly name = 'listen-when-a-pipeline-is-defined';
  readonly from = ['pipelines'] as const;
  readonly on = ['PipelineDeleted'];

  async react(_event: Sequenced): Promise<void> {
    seen.push({ ...logContext.getStore() });
  }
}

@Controller('api/mledger/v1/pipelines')
class TracedController {
  constructor(@Inject(EventStore) private readonly store: EventStore) {}

  @Put(':name')
  async put(@Caller() caller: Caller, @Body() _body: unknown) {
    const event = { type: 'PipelineDeleted', data: { pipelineId: 'p', pipeline: 'p', name: 'p', reason: '' } };
    await this.store.appendBlind(stream(caller.tenant, 'pipeline', 'p'), [event], commandContext(caller));
    return { correlation: caller.correlation };
  }
}

@Module({ controllers: [TracedController], providers: [ListenReaction] })
class TracedModule {}

const traced: ServiceDefinition = {
  name: 'pipelines',
  module: TracedModule,
  projections: [],
  reactions: [ListenReaction],
};

describe('traces', () => {
  const exporter = new InMemorySpanExporter();
  let test: TestService;
  beforeAll(async () => {
    test = await startTestService(traced, { runtime: { spanExporter: exporter } });
  });
  afterAll(() => test.stop());

  it('go on from the caller’s through the event into the reaction', async () => {
    const traceparent = `00-${TRACE_ID}-b7ad6b7169203331-01`;
    const url = '/api/mledger/v1/pipelines/p';
    const answer = await test.inject({ method: 'PUT', url, payload: {}, headers: { traceparent } });
    const { correlation } = answer.json();
    await eventually(() => expect(seen).toContainEqual(expect.objectContaining({ correlation, tenant: 'default' })));
    const [request, reaction] = await eventually(async () => {
      const spans = exporter.getFinishedSpans();
      const named = (name: string) => spans.find((span) => span.name === name)!;
      const both = [named('PUT /api/mledger/v1/pipelines/{name}'), named('listen-when-a-pipeline-is-defined')] as const;
      expect(both).not.toContain(undefined);
      return both;
    });
    expect(request.spanContext().traceId).toBe(TRACE_ID);
    expect(request.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(reaction.spanContext().traceId).toBe(TRACE_ID);
    expect(reaction.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
    expect(seen[0]!.traceparent).toBe(`00-${TRACE_ID}-${request.spanContext().spanId}-01`);
  });
});

describe('an exporter that is configured', () => {
  it('gets the spans by OTLP, from the built service', async () => {
    const bodies: string[] = [];
    const collector = createServer((request, response) => {
      void text(request).then((body) => {
        bodies.push(`${request.url} ${body}`);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
    const service = spawn(process.execPath, [join(__dirname, 'traced-process.cjs')], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await text(service.stdout);
      expect(bodies.join()).toMatch(/^\/v1\/traces .*mledger-pipelines.*GET \/health\/live/);
    } finally {
      service.kill();
      collector.close();
    }
  });
});
