import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** One service's Prometheus metrics. Providers register their own on `registry`. */
export class Metrics {
  readonly registry = new Registry();

  constructor(service: string) {
    this.registry.setDefaultLabels({ service });
  }

  /** A figure that is looked up when somebody asks for it. @param read undefined or NaN leaves it out */
  gauge(name: string, help: string, read: () => Promise<number | undefined> | number | undefined): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      async collect() {
        const value = await read();
        if (value === undefined || Number.isNaN(value)) this.reset();
        else this.set(value);
      },
    });
  }
}

export class HttpMetrics {
  private readonly duration: Histogram<'method' | 'route' | 'status'>;

  constructor({ registry }: Metrics) {
    this.duration = new Histogram({
      name: 'mledger_http_request_duration_seconds',
      help: 'Time from the first byte of a request to the last of its answer, by the pattern of its route',
      labelNames: ['method', 'route', 'status'],
      buckets: DURATION_BUCKETS_SECONDS,
      registers: [registry],
    });
  }

  observe(answered: { method: string; route: string; status: number; seconds: number }): void {
    const { method, route, status } = answered;
    this.duration.observe({ method, route, status }, answered.seconds);
  }
}

let shared: Registry | undefined;

/** Memory, CPU, event loop lag of this process: one registry, however many services run in it. */
export function processRegistry(): Registry {
  if (!shared) {
    shared = new Registry();
    collectDefaultMetrics({ register: shared });
  }
  return shared;
}
