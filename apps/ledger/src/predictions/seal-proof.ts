import { Inject, Injectable } from '@nestjs/common';
import { ObjectStoreError, type ObjectStore } from '@mledger/object-store';
import { OBJECT_STORE } from '@mledger/service-kit';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { EventLookup } from '../timeline/event-lookup';
import type { Horizon, LedgerEvent } from '../timeline/ledger-event';
import { hexRoot, inclusionProof, rootOfProof, type ProofStep } from './merkle';
import type { IndexedPrediction } from './prediction-index';
import { SEALS_AROUND } from './predictions.sql';

/** What is known of the seal over a prediction. */
export type SealFinding =
  | { readonly status: 'not-sealed-yet' }
  /** Verified: the digest of what is stored leads by the proof to the root that the event holds. */
  | {
      readonly status: 'verified';
      readonly event: LedgerEvent;
      readonly index: number;
      readonly count: number;
      readonly root: string;
      readonly proof: readonly ProofStep[];
    }
  | { readonly status: 'broken'; readonly event: LedgerEvent; readonly reason: string };

const listSchema = z.array(z.object({ requestId: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }));
export type SealedList = z.output<typeof listSchema>;

/** Finds the seal that a prediction is under, and proves that it is. */
@Injectable()
export class SealProof {
  constructor(
    private readonly dataSource: DataSource,
    private readonly events: EventLookup,
    @Inject(OBJECT_STORE) private readonly objects: ObjectStore,
  ) {}

  async find(
    tenant: string,
    { requestId, digest, payload }: IndexedPrediction,
    horizon: Horizon,
  ): Promise<SealFinding> {
    const place = [tenant, payload.endpointId, payload.revision, requestId];
    const around = (await this.dataSource.query(SEALS_AROUND, place)) as { eventId: string }[];
    const ids = around.map(({ eventId }) => eventId);
    let broken: SealFinding | undefined;
    for (const event of await this.events.byIds(tenant, ids, horizon)) {
      const list = await this.readList(event);
      if (typeof list === 'string') {
        broken = { status: 'broken', event, reason: list };
        continue;
      }
      const index = list.findIndex((entry) => entry.requestId === requestId);
      // A prediction that arrived late may lie in the range of a seal and be under a later one.
      if (index >= 0) return proveInclusion(event, list, index, digest);
    }
    return broken ?? { status: 'not-sealed-yet' };
  }

  /** What a seal is over; or, in a sentence, why that cannot be had or is not what was sealed. */
  async readList(seal: LedgerEvent): Promise<SealedList | string> {
    const { objectKey, merkleRoot } = seal.data as { objectKey: string; merkleRoot: string };
    let list: SealedList;
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of (await this.objects.get(objectKey)).body) chunks.push(chunk as Buffer);
      list = listSchema.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
    } catch (error) {
      if (error instanceof ObjectStoreError && error.code === 'not-found') return 'the list of sealed digests is gone';
      if (error instanceof SyntaxError || error instanceof z.ZodError)
        return 'the list of sealed digests is unreadable';
      throw error;
    }
    const root = hexRoot(list.map(({ sha256 }) => Buffer.from(sha256, 'hex')));
    return root === merkleRoot ? list : 'the list of sealed digests is not the one that was sealed';
  }
}

function proveInclusion(event: LedgerEvent, list: SealedList, index: number, digest: Buffer): SealFinding {
  const proof = inclusionProof(
    list.map(({ sha256 }) => Buffer.from(sha256, 'hex')),
    index,
  );
  const { merkleRoot: root } = event.data as { merkleRoot: string };
  if (rootOfProof(digest, proof) !== root) {
    return { status: 'broken', event, reason: 'the prediction stored here is not the one that was sealed' };
  }
  return { status: 'verified', event, index, count: list.length, root, proof };
}
