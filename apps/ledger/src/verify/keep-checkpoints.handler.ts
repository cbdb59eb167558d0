import { Injectable } from '@nestjs/common';
import { CHECKPOINTS_TOPIC } from '@mledger/contracts';
import type { PayloadHandler, ReceivedMessage } from '@mledger/event-bus';
import type { EntityManager } from 'typeorm';
import { signedCheckpoint } from './checkpoint';
import { KEEP_CHECKPOINTS } from './verify.sql';

/** Keeps the checkpoints that services sign, to hold the ledger's own copy against them. */
@Injectable()
export class KeepCheckpoints implements PayloadHandler {
  readonly name = 'keep-checkpoints';
  readonly topic = CHECKPOINTS_TOPIC;

  async handle(messages: readonly ReceivedMessage[], manager: EntityManager): Promise<void> {
    const statements = messages.map(({ value }) => signedCheckpoint.parse(JSON.parse(value.toString('utf8'))));
    await manager.query(KEEP_CHECKPOINTS, [
      statements.map(({ service }) => service),
      statements.map(({ seq }) => seq),
      statements.map((statement) => JSON.stringify(statement)),
    ]);
  }
}
