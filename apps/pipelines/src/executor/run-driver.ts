import { CommandRefused, type CommandContext } from '@mledger/event-log';
import type { PipelineHandler } from '../pipeline/pipeline.handler';
import { readySteps, runningSteps, type PipelineRunCommand, type PipelineRunState } from '../pipeline-run/pipeline-run';
import { patiently } from './patiently';
import type { Slots } from './slots';
import type { StepRunner } from './step-runner';

export interface RunDriverParts {
  readonly pipelines: PipelineHandler;
  readonly runner: StepRunner;
  /** Shared by all runs that this process drives. */
  readonly slots: Slots;
}

/** Brings one run to its end, as long as this process holds its lock. */
export class RunDriver {
  private readonly aborting = new AbortController();
  private readonly atWork = new Map<string, Promise<void>>();
  private wakeUp: () => void = () => undefined;

  constructor(
    private readonly parts: RunDriverParts,
    private readonly tenant: string,
    private readonly pipelineRunId: string,
  ) {}

  /** Returns when nothing is left to do here; with an error, the run is for whoever looks next. */
  async drive(): Promise<void> {
    try {
      await this.recordLost();
      await this.driveToEnd();
    } finally {
      this.abort('its run is not driven here any more');
      await Promise.allSettled(this.atWork.values());
    }
  }

  /** Something about the run has changed from outside. */
  wake(): void {
    this.wakeUp();
  }

  /** Stops what runs; it is recorded as lost, unless the run has an end already. */
  abort(reason: string): void {
    this.aborting.abort(reason);
    this.wake();
  }

  /** What was running when the run's last driver died is not known to run, nor to have done nothing. */
  private async recordLost(): Promise<void> {
    const run = await this.load();
    for (const [step, { attempt }] of runningSteps(run)) {
      const message = 'the process that ran it was lost';
      const lost = { type: 'FailStep', step, attempt, reason: 'lost', exitCode: null, message } as const;
      await this.record(run, { ...lost, durationMs: 0, log: null });
    }
  }

  private async driveToEnd(): Promise<void> {
    while (!this.aborting.signal.aborted) {
      // Made before the look, so that what changes during it is not slept through.
      const woken = new Promise<void>((resolve) => (this.wakeUp = resolve));
      const run = await this.load();
      if (run.status !== 'running') return;
      for (const step of readySteps(run)) {
        if (!this.atWork.has(step)) this.begin(step);
      }
      if (this.atWork.size === 0) throw new Error(`run ${this.pipelineRunId} is running, but no step of it can be`);
      await Promise.race([...this.atWork.values(), woken]);
    }
  }

  private begin(step: string): void {
    const work = this.runStep(step).finally(() => this.atWork.delete(step));
    // The loop awaits it and fails with it; until then it must not count as unhandled.
    work.catch(() => undefined);
    this.atWork.set(step, work);
  }

  private async runStep(step: string): Promise<void> {
    const { slots, runner } = this.parts;
    const { signal } = this.aborting;
    const giveBack = await slots.take(signal);
    try {
      if (signal.aborted) return;
      const before = await this.load();
      if (!readySteps(before).includes(step)) return;
      const started = await this.start(before, step);
      if (started === undefined) return;
      const end = await runner.run({ tenant: this.tenant, run: started, step, signal });
      await patiently(() => this.record(started, end), { isFinal: (error) => error instanceof CommandRefused });
    } finally {
      giveBack();
    }
  }

  /** @returns undefined when the step may not start any more: its run was cancelled since it was looked at */
  private async start(before: PipelineRunState, step: string): Promise<PipelineRunState | undefined> {
    try {
      return await this.record(before, { type: 'StartStep', step });
    } catch (error) {
      if (error instanceof CommandRefused) return undefined;
      throw error;
    }
  }

  private async record(run: PipelineRunState, command: PipelineRunCommand): Promise<PipelineRunState> {
    const { pipelineId, correlation, headEvent: cause } = run;
    const context: CommandContext = { tenant: this.tenant, actor: `pipeline:${pipelineId}`, correlation, cause };
    return (await this.parts.pipelines.toRun(this.pipelineRunId, command, context)).state;
  }

  private load(): Promise<PipelineRunState> {
    return this.parts.pipelines.loadRun(this.tenant, this.pipelineRunId);
  }
}
