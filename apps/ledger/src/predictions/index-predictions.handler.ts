import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PAYLOADS_TOPIC, predictionPayload, type PredictionPayload } from '@mledger/contracts';
import type { PayloadHandler, ReceivedMessage } from '@mledger/event-bus';
import type { EntityManager } from 'typeorm';
import { STORE_PREDICTIONS } from './predictions.sql';

/** Keeps each prediction for as long as it may have to be explained: the topic itself forgets it after days. */
@Injectable()
export class IndexPredictions implements PayloadHandler {
  readonly name = 'index-predictions';
  readonly topic = PAYLOADS_TOPIC;

  async handle(messages: readonly ReceivedMessage[], manager: EntityManager): Promise<void> {
    const texts = messages.map(({ value }) => value.toString('utf8'));
    const payloads = texts.map((text) => predictionPayload.parse(JSON.parse(text)));
    const column = <K extends keyof PredictionPayload>(key: K) => payloads.map((payload) => payload[key]);
    await manager.query(STORE_PREDICTIONS, [
      ...[column('tenant'), column('requestId'), column('clientRequestId'), column('endpointId'), column('endpoint')],
      ...[column('revision'), column('modelId'), column('model'), column('modelVersion'), column('time')],
      ...[column('status'), column('actor'), column('correlation')],
      // Of the bytes as they came: that is what serving seals.
      messages.map(({ value }) => createHash('sha256').update(value).digest()),
      texts,
    ]);
  }
}
