import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { Inject, Injectable } from '@nestjs/common';
import { PAYLOADS_TOPIC, predictionPayload, type PredictionPayload } from '@mledger/contracts';
import type { PayloadHandler, ReceivedMessage } from '@mledger/event-bus';
import type { ObjectStore } from '@mledger/object-store';
import { OBJECT_STORE } from '@mledger/service-kit';
import type { EntityManager } from 'typeorm';
import { headOf } from './cut-windows';
import { PayloadIllShaped, rowsOf, type Tensors } from './payload-rows';
import { WindowGatherer } from './window-gatherer';
import { findWatchers, lockMonitors, type Watcher } from './window-rows';

type Envelope = Omit<PredictionPayload, keyof Tensors>;
interface Answered {
  readonly envelope: Envelope;
  tensors(): Promise<Tensors>;
}

/** So many windows one request may fill; of a larger one the first rows count. It is one transaction. */
export const REQUEST_WINDOWS_MAX = 100;

const envelopeSchema = predictionPayload.omit({ inputs: true, outputs: true });

/**
 * Gathers what endpoints answered into the windows of those who monitor them. What no monitor watches, what failed and what
 * only shadows said is passed over.
 */
@Injectable()
export class GatherWindows implements PayloadHandler {
  readonly name = 'gather-windows';
  readonly topic = PAYLOADS_TOPIC;
  /** Handed over by the bus without its object, as any function. */
  readonly handle = (messages: readonly ReceivedMessage[], manager: EntityManager): Promise<void> =>
    this.gather(messages, manager);

  constructor(
    private readonly windows: WindowGatherer,
    @Inject(OBJECT_STORE) private readonly objects: ObjectStore,
  ) {}

  private async gather(messages: readonly ReceivedMessage[], manager: EntityManager): Promise<void> {
    const answered = messages
      .map((message) => this.read(message))
      .filter(({ envelope }) => envelope.status === 200 && !envelope.shadow);
    if (answered.length === 0) return;
    const endpoints = answered.map(({ envelope }) => envelope);
    const found = await findWatchers(manager, endpoints);
    if (found.length === 0) return;
    await lockMonitors(manager, found);
    // One may have been defined anew, deleted, or made, before its lock was ours; a new one is not locked yet, and not ours.
    const locked = new Set(found.map(({ monitorId }) => monitorId));
    for (const monitor of await findWatchers(manager, endpoints)) {
      if (locked.has(monitor.monitorId)) await this.gatherFor(monitor, answered, manager);
    }
  }

  private async gatherFor(monitor: Watcher, answered: readonly Answered[], manager: EntityManager): Promise<void> {
    const own = answered.filter(
      ({ envelope: { tenant, endpoint, time } }) =>
        tenant === monitor.tenant && endpoint === monitor.endpoint && time >= monitor.definedAt,
    );
    const pieces = [];
    const rowsMax = monitor.definition.windowRows * REQUEST_WINDOWS_MAX;
    for (const { envelope, tensors } of own) {
      pieces.push(headOf(rowsOf(envelope, await tensors(), monitor.definition), rowsMax));
    }
    await this.windows.gather(monitor, pieces, manager);
  }

  private read({ value }: ReceivedMessage): Answered {
    const payload = JSON.parse(value.toString('utf8')) as PredictionPayload;
    const envelope = envelopeSchema.parse(payload);
    const { inputs, outputs } = payload;
    let fetched: Promise<Tensors> | undefined;
    return {
      envelope,
      tensors: () =>
        (fetched ??= envelope.tensors === null ? Promise.resolve({ inputs, outputs }) : this.fetch(envelope.tensors)),
    };
  }

  private async fetch({ objectKey, sha256 }: NonNullable<Envelope['tensors']>): Promise<Tensors> {
    const { body } = await this.objects.get(objectKey);
    const bytes = await buffer(body);
    if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
      throw new PayloadIllShaped(`the tensors at ${objectKey} are not those whose digest the payload names`);
    }
    return JSON.parse(bytes.toString('utf8')) as Tensors;
  }
}
