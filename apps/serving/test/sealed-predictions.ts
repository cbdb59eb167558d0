import { createHash } from 'node:crypto';
import { PAYLOADS_TOPIC, type EndpointSealEvent, type PredictionPayload } from '@mledger/contracts';
import type { EventBus } from '@mledger/event-bus';
import type { ObjectStore } from '@mledger/object-store';
import { merkleRoot } from '../src/payloads/merkle';

export interface SealedPrediction {
  readonly requestId: string;
  /** Of the payload's bytes, in hex. */
  readonly sha256: string;
}

/** Reads what a seal is over, and holds it against the root that the log holds. */
export async function readSeal(seal: EndpointSealEvent['data'], objects: ObjectStore): Promise<SealedPrediction[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of (await objects.get(seal.objectKey)).body) chunks.push(chunk as Buffer);
  const list = JSON.parse(Buffer.concat(chunks).toString('utf8')) as SealedPrediction[];
  expect(merkleRoot(list.map(({ sha256 }) => Buffer.from(sha256, 'hex'))).toString('hex')).toBe(seal.merkleRoot);
  expect([list.length, list[0]?.requestId, list.at(-1)?.requestId]).toEqual([seal.count, seal.from, seal.to]);
  return list;
}

/** Every payload that is and will be on a bus, as it should stand under a seal. @returns what grows as they are read */
export async function followPublished(bus: EventBus): Promise<readonly SealedPrediction[]> {
  const published: SealedPrediction[] = [];
  await bus.subscribe({
    group: 'audit',
    topics: [PAYLOADS_TOPIC],
    handle: async ({ messages }) => {
      for (const { value } of messages) {
        const { requestId } = JSON.parse(value.toString('utf8')) as PredictionPayload;
        published.push({ requestId, sha256: createHash('sha256').update(value).digest('hex') });
      }
    },
  });
  return published;
}
