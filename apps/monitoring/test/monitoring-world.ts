import { PAYLOAD_EVENT_TYPE, PAYLOADS_TOPIC, type PayloadTensor, type PredictionPayload } from '@mledger/contracts';
import type { BusMessage } from '@mledger/event-bus';
import { eventually, startTestService, type TestService, type TestServiceOptions } from '@mledger/service-kit/testing';
import { v7 } from 'uuid';
import { monitoringService } from '../src/monitoring.definition';
import type { AlertView, WindowView } from '../src/projections/monitor-queries';

export type WindowAnswer = WindowView['evaluation'] & Pick<WindowView, 'performance'>;
export interface Rows {
  readonly [feature: string]: readonly (number | string | null)[];
}

/** Monitoring on a real log and bus, with a hand that publishes what serving would. */
export class MonitoringWorld {
  private constructor(readonly kit: TestService) {}

  static async start(options: TestServiceOptions = {}): Promise<MonitoringWorld> {
    return new MonitoringWorld(await startTestService(monitoringService, options));
  }

  stop(): Promise<void> {
    return this.kit.stop();
  }

  async call(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown, headers = {}) {
    const answer = await this.kit.inject({
      method,
      url: `/api/mledger/v1/${path}`,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      payload: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
  }

  /** Publishes requests of `rowsEach` rows, as one batch. @returns their ids */
  async serve(
    endpoint: string,
    columns: Rows,
    rowsEach: number,
    change: Partial<PredictionPayload> = {},
    predictions?: readonly number[],
  ): Promise<string[]> {
    const total = Object.values(columns)[0]!.length;
    const payloads: PredictionPayload[] = [];
    for (let start = 0; start < total; start += rowsEach) {
      const end = Math.min(total, start + rowsEach);
      const inputs = Object.entries(columns).map(([name, values]) => tensor(name, values.slice(start, end)));
      const scores = predictions?.slice(start, end) ?? Array<number>(end - start).fill(0.25);
      payloads.push(payload(endpoint, { inputs, outputs: [tensor('late_probability', scores)], ...change }));
    }
    await this.publish(payloads.map(messageOf));
    return payloads.map(({ requestId }) => requestId);
  }

  publish(messages: readonly BusMessage[]): Promise<void> {
    return this.kit.runtime.bus.publish(PAYLOADS_TOPIC, messages);
  }

  async windows(monitor: string): Promise<WindowAnswer[]> {
    const { status, body } = await this.call('GET', `monitors/${monitor}/windows`);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body.windows;
  }

  async alerts(monitor: string): Promise<AlertView[]> {
    return (await this.call('GET', `monitors/${monitor}/alerts`)).body.alerts;
  }

  /** The windows, newest first, once there are as many. */
  windowsOnce(monitor: string, count: number): Promise<WindowAnswer[]> {
    return eventually(async () => {
      const windows = await this.windows(monitor);
      expect(windows).toHaveLength(count);
      return windows;
    });
  }

  /** Once everything published so far has been gathered: the rows of the open window. */
  gathered(monitor: string, rows: number): Promise<void> {
    return eventually(async () => {
      const { body } = await this.call('GET', `monitors/${monitor}`);
      expect(body.gathering.rows).toBe(rows);
    });
  }

  async events(types: readonly string[]) {
    const { store, dataSource } = this.kit.service.log;
    // The log shows what is numbered, which what was appended a moment ago need not be.
    await eventually(async () => {
      const [{ events }] = (await dataSource.query('select count(*) as events from events')) as [{ events: number }];
      expect(await store.head()).toBe(events);
    });
    return store.readLog({ afterSeq: 0, limit: 1_000, types });
  }
}

export function tensor(name: string, values: readonly (number | string | null)[]): PayloadTensor {
  const isText = values.some((value) => typeof value === 'string' && Number.isNaN(Number(value)) && value !== 'NaN');
  return { name, datatype: isText ? 'BYTES' : 'FP64', shape: [values.length], data: [...values] };
}

export function payload(endpoint: string, change: Partial<PredictionPayload> = {}): PredictionPayload {
  const requestId = v7();
  return {
    requestId,
    clientRequestId: null,
    tenant: 'default',
    actor: 'user:ana',
    correlation: requestId,
    endpointId: 'e-1',
    endpoint,
    revision: 1,
    modelId: 'm-1',
    model: 'delay',
    modelVersion: 1,
    time: new Date().toISOString(),
    durationMs: 1.5,
    status: 200,
    shadow: false,
    inputs: [],
    outputs: [],
    error: null,
    tensors: null,
    ...change,
  };
}

export function messageOf(value: PredictionPayload): BusMessage {
  return {
    key: value.requestId,
    headers: { 'content-type': 'application/json', ce_type: PAYLOAD_EVENT_TYPE, ce_id: value.requestId },
    value: Buffer.from(JSON.stringify(value)),
  };
}

/** Normally distributed, the same for the same seed. */
export function normal(count: number, { mean = 0, deviation = 1, seed = 1 } = {}): number[] {
  const uniform = uniforms(seed);
  return Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * uniform());
  });
}

export function categories(count: number, weights: Readonly<Record<string, number>>, seed = 1): string[] {
  const uniform = uniforms(seed);
  const entries = Object.entries(weights);
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  return Array.from({ length: count }, () => {
    let left = uniform() * total;
    return (entries.find(([, weight]) => (left -= weight) < 0) ?? entries[0]!)[0];
  });
}

/** Marsaglia's 32-bit xorshift, well mixed from the start. */
function uniforms(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  for (let round = 0; round < 20; round += 1) next();
  return next;
}
