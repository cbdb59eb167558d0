import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PAYLOAD_EVENT_TYPE, PAYLOADS_TOPIC, type PredictionPayload } from '@mledger/contracts';
import type { BusMessage, EventBus } from '@mledger/event-bus';
import { newObjectKey, type ObjectStore } from '@mledger/object-store';
import { ApiError, EVENT_BUS, OBJECT_STORE } from '@mledger/service-kit';

/** Payloads that may wait to be published; past that, requests are refused rather than answered unrecorded. */
export const PAYLOADS_WAITING_MAX = 10_000;
const BATCH_PAYLOADS_MAX = 500;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** So long payloads share a key, and with it a partition: consumers take each partition's in a transaction of its own. */
const KEY_MS = 1_000;
/** A larger payload's tensors lie in the object store. */
export const PAYLOAD_BYTES_MAX = 1024 * 1024;

interface Waiting {
  readonly message: BusMessage;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Publishes one payload a request, before the request is answered: a prediction that somebody saw is on record.
 * While one batch is on its way the next one gathers, so the cost of the bus is shared and nobody waits on a timer.
 */
@Injectable()
export class PayloadPublisher {
  private waiting: Waiting[] = [];
  private sending = false;
  private key = { text: '', sinceMs: Number.NEGATIVE_INFINITY };

  constructor(
    @Inject(EVENT_BUS) private readonly bus: EventBus,
    @Inject(OBJECT_STORE) private readonly objects: ObjectStore,
  ) {}

  /** @throws ApiError 503 when the bus does not take payloads as fast as they come, or not at all */
  async publish(payload: PredictionPayload): Promise<void> {
    if (this.waiting.length >= PAYLOADS_WAITING_MAX) {
      throw ApiError.unavailable('predictions cannot be recorded as fast as they come: try again in a moment');
    }
    const message = await this.messageOf(payload);
    await new Promise<void>((resolve, reject) => {
      this.waiting.push({ message, resolve, reject });
      if (!this.sending) void this.sendAll();
    });
  }

  private async sendAll(): Promise<void> {
    this.sending = true;
    while (this.waiting.length > 0) {
      const batch = this.nextBatch();
      try {
        await this.bus.publish(PAYLOADS_TOPIC, batch.map(({ message }) => message)); // prettier-ignore
        for (const { resolve } of batch) resolve();
      } catch {
        const refusal = ApiError.unavailable('the prediction could not be recorded, so it is not answered: try again');
        for (const { reject } of batch) reject(refusal);
      }
    }
    this.sending = false;
  }

  private nextBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { message } of this.waiting) {
      bytes += message.value.byteLength;
      if (count > 0 && (bytes > BATCH_BYTES_MAX || count >= BATCH_PAYLOADS_MAX)) break;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  private async messageOf(payload: PredictionPayload): Promise<BusMessage> {
    if (!isSurelyLarge(payload)) {
      const message = payloadMessage(payload, this.keyOf(payload));
      // The bytes themselves are counted: one string may be as large as a million numbers, and what is too large for the
      // bus would take its whole batch along.
      if (message.value.byteLength <= PAYLOAD_BYTES_MAX) return message;
    }
    const bytes = tensorBytes(payload);
    const { tenant, endpointId: ownerId, requestId: id } = payload;
    const objectKey = newObjectKey({ tenant, service: 'serving', ownerId, id });
    await this.objects.put(objectKey, bytes, { contentType: 'application/json' });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return payloadMessage({ ...payload, inputs: [], outputs: [], tensors: { objectKey, sha256 } }, this.keyOf(payload));
  }

  private keyOf({ requestId }: PredictionPayload): string {
    const nowMs = performance.now();
    if (nowMs - this.key.sinceMs > KEY_MS) this.key = { text: requestId, sinceMs: nowMs };
    return this.key.text;
  }
}

/** Each value takes two bytes at least: millions of them are not written out only to be measured. */
function isSurelyLarge({ inputs, outputs }: PredictionPayload): boolean {
  return [...inputs, ...outputs].reduce((sum, { data }) => sum + data.length, 0) * 2 > PAYLOAD_BYTES_MAX;
}

/** @throws ApiError 413 for more than one string can hold, half a gigabyte */
function tensorBytes({ inputs, outputs }: PredictionPayload): Buffer {
  try {
    return Buffer.from(JSON.stringify({ inputs, outputs }));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw ApiError.tooLarge(
      'the prediction is too large to be recorded, so it is not answered: send fewer rows at once',
    );
  }
}

/** A payload as a CloudEvent in the Kafka binding's binary mode; its value is what is hashed under the seal. */
export function payloadMessage(payload: PredictionPayload, key: string): BusMessage {
  const { requestId, tenant, endpointId, time, actor, correlation } = payload;
  return {
    key,
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: requestId,
      ce_source: `/mledger/${tenant}/serving`,
      ce_type: PAYLOAD_EVENT_TYPE,
      ce_subject: `${tenant}/endpoint:${endpointId}`,
      ce_time: time,
      ce_tenant: tenant,
      ce_actor: actor,
      ce_correlation: correlation,
    },
    value: Buffer.from(JSON.stringify(payload)),
  };
}
