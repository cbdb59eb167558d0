import { Injectable } from '@nestjs/common';
import type { CommitRecord } from '@mledger/contracts';
import { CommandRefused, EventStore, stream, type CommandContext } from '@mledger/event-log';
import type { EntityManager } from 'typeorm';
import { Commits } from '../commit/commits';
import type { BranchKey } from '../staging/staging';
import { BRANCH_MOVED, branchDecider, type AdvanceEvent } from './branch';
import { KeyedQueue } from './keyed-queue';

/** A commit made on the head that its branch had a moment ago. */
export interface PlannedAdvance {
  readonly event: AdvanceEvent;
  /** Working state that changes in the same transaction. */
  readonly within?: (manager: EntityManager) => Promise<void>;
}

/** Each try makes the commit anew on the new head. Only other processes can get in between, so this many are never needed. */
const TRIES_MAX = 32;

/** Moves branches forward by new commits: compare-and-set of the head, made again when somebody else was faster. */
@Injectable()
export class BranchAdvance {
  private readonly queue = new KeyedQueue();

  constructor(
    private readonly store: EventStore,
    private readonly commits: Commits,
  ) {}

  /**
   * In this process the commits of one branch wait for each other, so that none does its work in vain.
   * @param plan makes the commit; may be called several times
   */
  advance(key: BranchKey, context: CommandContext, plan: () => Promise<PlannedAdvance>): Promise<CommitRecord> {
    const streamId = branchStream(key);
    return this.queue.run(streamId, async () => {
      for (let attempt = 1; ; attempt += 1) {
        const { event, within } = await plan();
        try {
          const command = { type: 'Advance', event } as const;
          await this.store.handle({ decider: branchDecider, stream: streamId, command }, context, { within });
          this.commits.remember(key.repository, event.data.commit);
          return event.data.commit;
        } catch (error) {
          const hasMoved = error instanceof CommandRefused && error.refusal.code === BRANCH_MOVED;
          if (!hasMoved || attempt === TRIES_MAX) throw error;
        }
      }
    });
  }
}

export function branchStream({ repository, branch }: BranchKey): string {
  return stream(repository.tenant, 'branch', `${repository.repositoryId}/${branch}`);
}
