import type { EntityManager, EntitySubscriberInterface } from 'typeorm';
import { appendedTopic, type LogCore } from './log-core';

const MARK = 'mledger.appended';

/** Marks a transaction that has appended: whoever commits it, the sequencer is woken then and not before. */
export function ringAfterCommit(manager: EntityManager): void {
  manager.queryRunner!.data[MARK] = true;
}

/** Rings for marked transactions when TypeORM has committed them. A commit by hand costs the sequencer one poll. */
export function ringingSubscriber(core: Pick<LogCore, 'service' | 'bell'>): EntitySubscriberInterface {
  return {
    afterTransactionCommit({ queryRunner }) {
      // A released savepoint is announced as a commit too.
      if (!queryRunner.data[MARK] || queryRunner.isTransactionActive) return;
      queryRunner.data[MARK] = false;
      core.bell.ring(appendedTopic(core.service));
    },
  };
}
