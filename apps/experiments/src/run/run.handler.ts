import { Injectable } from '@nestjs/common';
import { EventStore, stream, type CommandContext, type HandleOptions } from '@mledger/event-log';
import { Clock } from '@mledger/service-kit';
import { LoggedModelQueries } from '../queries/logged-model.queries';
import { refused } from '../refused';
import { ActiveRuns } from './active-runs';
import { runDecider, type RunCommand } from './run';
import { batchFault, truncateValues, type RunBatch } from './run-batch';

type WriteCommand = Exclude<RunCommand, { type: 'StartRun' | 'DeleteRun' | 'RestoreRun' }>;

/** Loads, decides, appends for runs that have started. */
@Injectable()
export class RunHandler {
  constructor(
    private readonly store: EventStore,
    private readonly clock: Clock,
    private readonly activeRuns: ActiveRuns,
    private readonly models: LoggedModelQueries,
  ) {}

  /** Logs a batch whole or not at all. Metrics alone need no decision and share their commit with other callers. */
  async logBatch(runId: string, batch: RunBatch, context: CommandContext): Promise<void> {
    await this.assertModels(context.tenant, batch.metrics);
    const cut = truncateValues(batch);
    if (cut.params.length + cut.tags.length > 0) return this.write({ type: 'LogBatch', runId, ...cut }, context);
    const fault = batchFault(cut);
    if (fault) throw refused('invalid', 'BATCH_INVALID', fault);
    await this.activeRuns.assertActive(context.tenant, runId);
    if (cut.metrics.length === 0) return;
    const event = { type: 'MetricsLogged', data: { runId, metrics: cut.metrics } };
    await this.store.appendBlind(stream(context.tenant, 'run', runId), [event], context);
  }

  async update(
    runId: string,
    change: Omit<Extract<RunCommand, { type: 'UpdateRun' }>, 'type' | 'runId' | 'at'>,
    context: CommandContext,
  ) {
    await this.write({ type: 'UpdateRun', runId, ...change, at: this.clock.nowMs() }, context);
  }

  async link(
    command: Extract<RunCommand, { type: 'LogInputs' | 'LogOutputs' }>,
    context: CommandContext,
  ): Promise<void> {
    await this.assertModels(context.tenant, command.models);
    await this.write(command, context);
  }

  /** Anything that a run must be active for; its experiment too, which is not the run's own to know. */
  async write(command: WriteCommand, context: CommandContext, options?: HandleOptions): Promise<void> {
    await this.activeRuns.assertActive(context.tenant, command.runId);
    await this.store.handle(
      { decider: runDecider, stream: stream(context.tenant, 'run', command.runId), command },
      context,
      options,
    );
  }

  async setDeleted(runId: string, type: 'DeleteRun' | 'RestoreRun', context: CommandContext): Promise<void> {
    const target = { decider: runDecider, stream: stream(context.tenant, 'run', runId), command: { type, runId } };
    await this.store.handle(target, context);
    this.activeRuns.forget();
  }

  /** Models that a run names as read, made or measured are the tenant's own, or lineage would lead nowhere, or to a stranger. */
  private async assertModels(tenant: string, named: readonly { modelId?: string }[]): Promise<void> {
    const modelIds = new Set(named.flatMap(({ modelId }) => modelId ?? []));
    if (modelIds.size === 0) return;
    const [missing] = await this.models.missing(tenant, [...modelIds]);
    if (missing !== undefined)
      throw refused('not-found', 'LOGGED_MODEL_NOT_FOUND', `Logged model with ID '${missing}' not found.`);
  }
}
