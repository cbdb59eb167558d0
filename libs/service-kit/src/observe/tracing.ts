import type { Context, Span, Tracer } from '@opentelemetry/api';
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';

/** How long a finished span waits for others to travel with. */
const EXPORT_DELAY_MS = 1_000;

export interface RequestSpan {
  /** W3C trace context of this span, for the events that the request appends. */
  readonly traceparent: string;
  /** Runs with the span as the active one. */
  within<T>(work: () => T): T;
  end(status: number): void;
}

/**
 * OpenTelemetry spans of requests and reactions, sent by OTLP over HTTP. The packages are loaded only when an exporter is
 * configured, so that without one tracing costs nothing.
 */
export class Tracing {
  private constructor(
    private readonly api: typeof import('@opentelemetry/api'),
    private readonly tracer: Tracer,
    private readonly shutdown: () => Promise<void>,
  ) {}

  /** @param exporter takes the spans; see `otlpExporter` */
  static start({ service, exporter }: { service: string; exporter: SpanExporter | undefined }): Tracing | undefined {
    if (!exporter) return undefined;
    const api = load<typeof import('@opentelemetry/api')>('@opentelemetry/api');
    const sdk = load<typeof import('@opentelemetry/sdk-trace-node')>('@opentelemetry/sdk-trace-node');
    const resources = load<typeof import('@opentelemetry/resources')>('@opentelemetry/resources');
    const provider = new sdk.NodeTracerProvider({
      resource: resources.resourceFromAttributes({ 'service.name': `mledger-${service}` }),
      spanProcessors: [new sdk.BatchSpanProcessor(exporter, { scheduledDelayMillis: EXPORT_DELAY_MS })],
    });
    // Also puts the context manager in place that carries the active span across awaits; the first of a process stays.
    provider.register();
    return new Tracing(api, provider.getTracer('mledger'), () => provider.shutdown());
  }

  startRequest(request: { method: string; route: string; api: string; traceparent?: string }): RequestSpan {
    const { SpanKind } = this.api;
    const span = this.tracer.startSpan(
      `${request.method} ${request.route}`,
      {
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': request.method, 'http.route': request.route, 'mledger.api': request.api },
      },
      this.parent(request.traceparent),
    );
    const context = this.api.trace.setSpan(this.api.context.active(), span);
    return {
      traceparent: traceparentOf(span),
      within: (work) => this.api.context.with(context, work),
      end: (status) => {
        span.setAttribute('http.response.status_code', status);
        if (status >= 500) span.setStatus({ code: this.api.SpanStatusCode.ERROR });
        span.end();
      },
    };
  }

  /** A span around what a reaction does on an event; it continues the trace in which the event was appended. */
  async reaction<T>(
    name: string,
    event: { type: string; stream: string; traceparent?: string },
    work: () => Promise<T>,
  ) {
    const options = {
      kind: this.api.SpanKind.CONSUMER,
      attributes: { 'mledger.event.type': event.type, 'mledger.stream': event.stream },
    };
    return this.tracer.startActiveSpan(name, options, this.parent(event.traceparent), async (span) => {
      try {
        return await work();
      } catch (error) {
        span.recordException(error as Error);
        span.setStatus({ code: this.api.SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  }

  /** Sends what is still waiting. */
  stop(): Promise<void> {
    return this.shutdown();
  }

  private parent(traceparent: string | undefined): Context {
    const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? '');
    if (!match) return this.api.ROOT_CONTEXT;
    const [, traceId, spanId, flags] = match;
    const remote = { traceId: traceId!, spanId: spanId!, traceFlags: Number.parseInt(flags!, 16), isRemote: true };
    return this.api.trace.setSpanContext(this.api.ROOT_CONTEXT, remote);
  }
}

/** Sends spans to a collector by OTLP over HTTP; undefined when none is configured. */
export function otlpExporter(endpoint: string | undefined): SpanExporter | undefined {
  if (endpoint === undefined) return undefined;
  const { OTLPTraceExporter } = load<typeof import('@opentelemetry/exporter-trace-otlp-http')>(
    '@opentelemetry/exporter-trace-otlp-http',
  );
  return new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` });
}

/** Only when it is asked for, unlike an import. */
function load<T>(name: string): T {
  return require(name) as T;
}

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
