import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PAYLOADS_TOPIC, type PredictionPayload } from '@mledger/contracts';
import type { PayloadHandler, ReceivedMessage } from '@mledger/event-bus';
import type { EntityManager } from 'typeorm';

/** Gathers the digests of payloads until they are sealed. It reads the topic, so that the seal covers what was published. */
@Injectable()
export class GatherPredictions implements PayloadHandler {
  readonly name = 'gather-predictions';
  readonly topic = PAYLOADS_TOPIC;

  async handle(messages: readonly ReceivedMessage[], manager: EntityManager): Promise<void> {
    const payloads = messages.map(({ value }) => JSON.parse(value.toString('utf8')) as PredictionPayload);
    await manager.query(
      `insert into unsealed_predictions (tenant, endpoint_id, endpoint, revision, request_id, digest)
       select * from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::bytea[])
       on conflict do nothing`,
      [
        payloads.map(({ tenant }) => tenant),
        payloads.map(({ endpointId }) => endpointId),
        payloads.map(({ endpoint }) => endpoint),
        payloads.map(({ revision }) => revision),
        payloads.map(({ requestId }) => requestId),
        messages.map(({ value }) => createHash('sha256').update(value).digest()),
      ],
    );
  }
}
