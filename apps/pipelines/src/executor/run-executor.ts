import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { EventLog, type Subscription } from '@mledger/event-log';
import { Logger } from '@mledger/service-kit';
import { PipelineHandler } from '../pipeline/pipeline.handler';
import { PipelineQueries } from '../projections/pipeline-queries';
import { RunDriver } from './run-driver';
import { RunLocks } from './run-locks';
import { Slots } from './slots';
import { removeOrphanedStepFolders } from './step-folder';
import { StepRunner } from './step-runner';

/** Runs that this process drives, and steps that it runs, at once; what is more waits for its turn or another replica. */
const RUNS_MAX = 100;
const STEPS_AT_ONCE_MAX = 4;
/** Runs of a replica that died are found this soon. */
const LOOK_MS = 2_000;

/** Finds runs that nobody drives, and drives them: one process a run, by the lock that it holds. */
@Injectable()
export class RunExecutor implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly driven = new Map<string, { driver: RunDriver; done: Promise<void> }>();
  private readonly slots = new Slots(STEPS_AT_ONCE_MAX);
  private readonly locks: RunLocks;
  private subscription: Subscription | undefined;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private lookAgain = false;
  private stopped = false;

  constructor(
    private readonly log: EventLog,
    private readonly pipelines: PipelineHandler,
    private readonly queries: PipelineQueries,
    private readonly runner: StepRunner,
    private readonly logger: Logger,
  ) {
    this.locks = new RunLocks(log, () => this.abortAll('the database session that held its lock has ended'));
  }

  async onApplicationBootstrap(): Promise<void> {
    await removeOrphanedStepFolders().catch((error: unknown) =>
      this.logger.warn({ error }, 'folders that steps left behind could not be removed; the next start tries again'),
    );
    this.subscription = this.log.subscribe({
      afterSeq: await this.log.store.head(),
      types: ['RunTriggered', 'RunCompleted'],
      onEvents: async (events) => {
        for (const { data } of events)
          this.driven.get((data as { pipelineRunId: string }).pipelineRunId)?.driver.wake();
        this.look();
      },
    });
    this.timer = setInterval(() => this.look(), LOOK_MS);
    this.look();
  }

  /** Stops every step; they are recorded as lost, and tried again by whoever comes next if tries are left. */
  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.subscription?.stop();
    await this.looking;
    this.abortAll('the service stopped');
    await Promise.all([...this.driven.values()].map(({ done }) => done));
    await this.locks.close();
  }

  private abortAll(reason: string): void {
    for (const { driver } of this.driven.values()) driver.abort(reason);
  }

  /** One look at a time, and one more after it if anything happened meanwhile. */
  private look(): void {
    if (this.lookAgain) return;
    this.lookAgain = true;
    this.looking = this.looking.then(async () => {
      this.lookAgain = false;
      try {
        await this.takeWhatIsLeft();
      } catch (error) {
        this.logger.warn({ error }, 'looking for pipeline runs failed; it will be tried again');
      }
    });
  }

  private async takeWhatIsLeft(): Promise<void> {
    if (this.stopped) return;
    for (const { tenant, pipelineRunId } of await this.queries.running(RUNS_MAX)) {
      if (this.driven.has(pipelineRunId) || this.driven.size >= RUNS_MAX) continue;
      if (await this.locks.tryAcquire(pipelineRunId)) this.drive(tenant, pipelineRunId);
    }
  }

  private drive(tenant: string, pipelineRunId: string): void {
    const { pipelines, runner, slots } = this;
    const driver = new RunDriver({ pipelines, runner, slots }, tenant, pipelineRunId);
    const done = driver
      .drive()
      .catch((error: unknown) => this.logger.error({ error, pipelineRunId }, 'driving a pipeline run failed'))
      .then(() => this.locks.release(pipelineRunId))
      .catch((error: unknown) => this.logger.warn({ error, pipelineRunId }, 'the lock of a pipeline run was lost'))
      .then(() => void this.driven.delete(pipelineRunId));
    this.driven.set(pipelineRunId, { driver, done });
  }
}
