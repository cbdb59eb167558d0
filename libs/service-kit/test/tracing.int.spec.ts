import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Body, Controller, Inject, Injectable, Module, Put } from '@nestjs/common';
import type { Reaction } from '@mledger/event-bus';
import { EventStore, stream, type Sequenced } from '@mledger/event-log';
import { Caller, commandContext, logContext, type ServiceDefinition } from '../src';
import { eventually, startTestService, type TestService } from '../src/testing';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
}

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

/** A collector that takes OTLP over HTTP in JSON, as OpenTelemetry's own does. */
describe('traces', () => {
  const spans: Span[] = [];
  let collector: Server;
  let test: TestService;

  beforeAll(async () => {
    collector = createServer((request: IncomingMessage, response) => {
      void text(request).then((body) => {
        const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
        spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    test = await startTestService(traced, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });
  });
  afterAll(async () => {
    await test.stop();
    collector.closeAllConnections();
    collector.close();
  });

  it('go on from the caller’s through the event into the reaction', async () => {
    const traceparent = `00-${TRACE_ID}-b7ad6b7169203331-01`;
    const url = '/api/mledger/v1/pipelines/p';
    const answer = await test.inject({ method: 'PUT', url, payload: {}, headers: { traceparent } });
    const { correlation } = answer.json();
    await eventually(() => expect(seen).toContainEqual(expect.objectContaining({ correlation, tenant: 'default' })));
    // Stopping sends what is still waiting.
    await test.service.stop();
    const request = spans.find(({ name }) => name === 'PUT /api/mledger/v1/pipelines/{name}');
    expect(request).toMatchObject({ traceId: TRACE_ID, parentSpanId: 'b7ad6b7169203331' });
    const reaction = spans.find(({ name }) => name === 'listen-when-a-pipeline-is-defined');
    expect(reaction).toMatchObject({ traceId: TRACE_ID, parentSpanId: request!.spanId });
    expect(seen[0]!.traceparent).toBe(`00-${TRACE_ID}-${request!.spanId}-01`);
  });
});
