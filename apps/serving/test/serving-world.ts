import { InProcessBus } from '@mledger/event-bus';
import { Logger, startService, type RunningService } from '@mledger/service-kit';
import { PAYLOADS_TOPIC, type EndpointSealEvent, type PredictionPayload } from '@mledger/contracts';
import { eventually, startTestService, type TestService, type TestServiceOptions } from '@mledger/service-kit/testing';
import { servingService } from '../src/serving.definition';
import { RegistryLog } from './registry-log';
import { readSeal, type SealedPrediction } from './sealed-predictions';

/** A matrix that the graphs of the fixtures take. */
export const MATRIX = { name: 'input', shape: [2, 2], datatype: 'FP32', data: [1, 2, 3, 4] };

export interface ShownEndpoint {
  readonly endpointId: string;
  readonly ready: boolean;
  readonly shares: { revision: number; percent: number }[];
  readonly shadows: number[];
  readonly revisions: { revision: number; model: string }[];
}

/** The serving service beside the events of a registry, and everything that it publishes of predictions. */
export class ServingWorld {
  readonly payloads: PredictionPayload[] = [];
  private readonly stops: (() => Promise<void>)[] = [];

  private constructor(
    readonly kit: TestService,
    readonly registry: RegistryLog,
  ) {}

  static async start(options: TestServiceOptions = {}): Promise<ServingWorld> {
    const kit = await startTestService(servingService, options);
    const world = new ServingWorld(kit, await RegistryLog.open(kit.runtime));
    await kit.runtime.bus.subscribe({
      group: 'test',
      topics: [PAYLOADS_TOPIC],
      handle: async ({ messages }) => {
        for (const { value } of messages) world.payloads.push(JSON.parse(value.toString('utf8')) as PredictionPayload);
      },
    });
    return world;
  }

  /** A bus as another process has it. What one publishes, another notices only when it opens its own, or publishes there. */
  async openBus(): Promise<InProcessBus> {
    const logger = Logger.create({ service: 'test', level: 'warn' });
    const bus = await InProcessBus.open({ url: this.kit.runtime.databaseUrl, logger });
    this.stops.push(() => bus.close());
    return bus;
  }

  /** One more process of the service, as far as it can tell: on the same database, with a bus of its own. */
  async startReplica(): Promise<RunningService> {
    const replica = await startService(servingService, { ...this.kit.runtime, bus: await this.openBus() });
    this.stops.push(() => replica.stop());
    await eventually(async () => expect(await replica.unreadyReasons()).toEqual([]));
    return replica;
  }

  async stop(): Promise<void> {
    for (const stop of this.stops.reverse()) await stop();
    await this.registry.stop();
    await this.kit.stop();
  }

  /** What is under all seals; a prediction that is under two stands there twice. */
  async sealedPredictions(log = this.kit.service.log): Promise<SealedPrediction[]> {
    const seals = await log.store.readLog({ afterSeq: 0, limit: 1000, types: ['PredictionsSealed'] });
    const { objectStore } = this.kit.runtime;
    const lists = seals.map(({ data }) => readSeal(data as EndpointSealEvent['data'], objectStore));
    return (await Promise.all(lists)).flat();
  }

  /** A request to our own API; `path` is below `/endpoints/`. */
  async call(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, payload?: object, headers = {}) {
    const answer = await this.kit.inject({ method, url: `/api/mledger/v1/endpoints/${path}`, payload, headers });
    return {
      status: answer.statusCode,
      body: (answer.payload === '' ? {} : answer.json()) as ShownEndpoint & Record<string, unknown>,
    };
  }

  /** Follows a model as soon as serving has heard of it from the registry. */
  follow(name: string, model: string): Promise<ShownEndpoint> {
    return eventually(async () => {
      const { status, body } = await this.call('PUT', name, { model });
      expect(status).toBe(200);
      return body;
    });
  }

  infer(path: string, body: object | string | Buffer, headers: Record<string, string> = {}) {
    return this.kit.inject({
      method: 'POST',
      url: `/v2/models/${path}/infer`,
      headers: { 'content-type': 'application/json', ...headers },
      payload: typeof body === 'object' && !Buffer.isBuffer(body) ? JSON.stringify(body) : body,
    });
  }

  invoke(name: string, body: string | Buffer, headers: Record<string, string> = {}) {
    return this.kit.inject({
      method: 'POST',
      url: `/endpoints/${name}/invocations`,
      headers: { 'content-type': 'application/json', ...headers },
      payload: body,
    });
  }
}
