import { createHash, randomUUID } from 'node:crypto';
import {
  catalogOf,
  CHECKPOINTS_TOPIC,
  PAYLOADS_TOPIC,
  predictionPayload,
  type PredictionPayload,
  type ServiceName,
} from '@mledger/contracts';
import { Relay } from '@mledger/event-bus';
import { eventId, openEventLog, stream, type EventLog, type NewEvent } from '@mledger/event-log';
import { newObjectKey } from '@mledger/object-store';
import { checkpointSigner, Logger } from '@mledger/service-kit';
import { type AnyJson, eventually, startTestService, type TestService } from '@mledger/service-kit/testing';
import { v7 } from 'uuid';
import { ledgerService } from '../src/ledger.definition';
import { hexRoot } from '../src/predictions/merkle';

export interface Answer {
  readonly status: number;
  readonly body: AnyJson;
}

export interface Circumstances {
  readonly tenant?: string;
  readonly actor?: string;
  readonly cause?: string;
  readonly correlation?: string;
}

interface OtherService {
  readonly log: EventLog;
  readonly relay: Relay;
}

/** The ledger on a real database and bus, and beside it logs of other services, told what to tell by the test. */
export class LedgerWorld {
  private readonly others = new Map<ServiceName, OtherService>();

  private constructor(readonly kit: TestService) {}

  static async start(env: Record<string, string> = {}): Promise<LedgerWorld> {
    return new LedgerWorld(await startTestService(ledgerService, { env, listen: true }));
  }

  async stop(): Promise<void> {
    for (const { log, relay } of this.others.values()) {
      await relay.stop();
      await log.stop();
    }
    await this.kit.stop();
  }

  /** Appends events in the name of another service, and returns their ids. */
  async tell(
    service: ServiceName,
    [kind, key]: readonly [kind: string, key: string],
    events: readonly NewEvent[],
    { tenant = 'default', actor = 'user:ana', cause = 'request:test', correlation = 'c-1' }: Circumstances = {},
  ): Promise<string[]> {
    const { log } = await this.other(service);
    const name = stream(tenant, kind, key);
    const context = { tenant, actor, cause, correlation };
    const { version } = await log.store.appendBlind(name, [...events], context);
    return events.map((_event, index) => eventId(service, name, version - events.length + 1 + index));
  }

  async other(service: ServiceName): Promise<OtherService> {
    const known = this.others.get(service);
    if (known) return known;
    const { runtime } = this.kit;
    const log = await openEventLog({
      ...{ service, url: runtime.databaseUrl, catalog: catalogOf(service), projections: [], poolSizeMax: 2 },
      signer: checkpointSigner(runtime.masterKey),
      onCheckpoint: async (checkpoint) => {
        const message = { key: service, headers: {}, value: Buffer.from(JSON.stringify(checkpoint)) };
        await runtime.bus.publish(CHECKPOINTS_TOPIC, [message]);
      },
    });
    log.start();
    // The start's own look for news comes before this one, and finds none to sign; else it could sign what is told from here on.
    await log.checkpoint();
    const relay = new Relay({ service, log, bus: runtime.bus, logger: Logger.create({ service, level: 'warn' }) });
    await relay.start();
    this.others.set(service, { log, relay });
    return { log, relay };
  }

  /** Publishes a prediction, as serving does. */
  async predict(given: Partial<PredictionPayload> = {}): Promise<PredictionPayload> {
    const payload = predictionPayload.parse({
      ...{ requestId: v7(), clientRequestId: null, tenant: 'default', actor: 'user:caller', correlation: 'c-call' },
      ...{ endpointId: 'e-1', endpoint: 'delay', revision: 2, modelId: 'm-1', model: 'delay', modelVersion: 2 },
      ...{ time: new Date().toISOString(), durationMs: 1.5, status: 200, shadow: false, error: null, tensors: null },
      inputs: [{ name: 'temp', datatype: 'FP32', shape: [1], data: [36.5] }],
      outputs: [{ name: 'probability', datatype: 'FP32', shape: [1], data: [0.25] }],
      ...given,
    });
    await this.kit.runtime.bus.publish(PAYLOADS_TOPIC, [
      { key: payload.requestId, headers: {}, value: Buffer.from(JSON.stringify(payload)) },
    ]);
    return payload;
  }

  /** Seals predictions, as serving does. */
  async seal(payloads: readonly PredictionPayload[], { tenant = 'default' }: Circumstances = {}): Promise<string> {
    const list = payloads.map((payload) => {
      const sha256 = createHash('sha256').update(JSON.stringify(payload)).digest('hex');
      return { requestId: payload.requestId, sha256 };
    });
    const { endpointId, endpoint, revision, requestId: from } = payloads[0]!;
    const objectKey = newObjectKey({ tenant, service: 'serving', ownerId: endpointId, id: randomUUID() });
    await this.kit.runtime.objectStore.put(objectKey, Buffer.from(JSON.stringify(list)));
    const merkleRoot = hexRoot(list.map(({ sha256 }) => Buffer.from(sha256, 'hex')));
    const data = { endpointId, endpoint, revision, from, to: payloads.at(-1)!.requestId, count: list.length };
    const sealed = { type: 'PredictionsSealed', data: { ...data, merkleRoot, objectKey } };
    await this.tell('serving', ['endpoint-seal', endpointId], [sealed], { tenant, actor: 'service:serving' });
    return objectKey;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await this.kit.inject({ method: 'GET', url: `/api/mledger/v1/${path}`, headers });
    return { status: response.statusCode, body: response.json() };
  }

  /** The answer of GET, as soon as it is as wanted: what other services tell is a moment on its way. */
  async awaited(path: string, isWanted: (answer: Answer) => boolean, headers: Record<string, string> = {}) {
    return eventually(async () => {
      const answer = await this.get(path, headers);
      if (!isWanted(answer)) throw new Error(`${path} answers ${JSON.stringify(answer).slice(0, 2_000)}`);
      return answer;
    });
  }
}

/** An experiment that is tagged with a number: an event that means nothing else. */
export function numbered(number: number): NewEvent {
  const tags = [{ key: 'number', value: String(number) }];
  return { type: 'ExperimentTagged', data: { experimentId: 'x-1', tags } };
}

export function numberOf(event: { data: unknown }): number {
  return Number((event.data as { tags: { value: string }[] }).tags[0]!.value);
}
