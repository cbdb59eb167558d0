import { Injectable } from '@nestjs/common';
import { EventStore, stream, type CommandContext } from '@mledger/event-log';
import { Clock, Ids } from '@mledger/service-kit';
import { notActive } from '../experiment/experiment';
import type { KeyValue } from '../key-values';
import { keyFault } from '../names';
import { ExperimentQueries } from '../queries/experiment.queries';
import { LoggedModelQueries } from '../queries/logged-model.queries';
import { refused } from '../refused';
import { ActiveRuns } from './active-runs';
import { randomName } from './random-name';
import { RUN_NAME_TAG, runDecider, type RunCommand } from './run';
import { batchFault, truncateTag, truncateValues, type RunBatch } from './run-batch';

export interface StartRunInput {
  readonly experimentId: string;
  readonly name?: string;
  readonly userId: string;
  readonly startTime?: number;
  readonly tags: readonly KeyValue[];
}

type WriteCommand = Exclude<RunCommand, { type: 'StartRun' | 'DeleteRun' | 'RestoreRun' }>;

/** Loads, decides, appends for runs. */
@Injectable()
export class RunHandler {
  constructor(
    private readonly store: EventStore,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly activeRuns: ActiveRuns,
    private readonly experiments: ExperimentQueries,
    private readonly models: LoggedModelQueries,
  ) {}

  /**
   * The experiment is looked up and not locked: deleting it hides its runs, so a run that starts meanwhile is hidden and
   * restored with the others, and starting runs never wait for one another.
   *
   * @returns the new run's id
   */
  async start(input: StartRunInput, context: CommandContext): Promise<string> {
    const { experimentId, userId } = input;
    const experiment = await this.experiments.find(context.tenant, experimentId);
    if (!experiment) throw refused('not-found', 'EXPERIMENT_NOT_FOUND', `No Experiment with id=${experimentId} exists`);
    if (experiment.deleted) throw refused('invalid', 'EXPERIMENT_DELETED', notActive(experimentId));
    const runId = this.ids.uuidv7().replaceAll('-', '');
    const command: RunCommand = {
      type: 'StartRun',
      runId,
      experimentId,
      userId,
      startTime: input.startTime ?? this.clock.nowMs(),
      artifactUri: `${experiment.artifact_location}/${runId}/artifacts`,
      ...namedOnce(input),
    };
    await this.store.handle({ decider: runDecider, stream: stream(context.tenant, 'run', runId), command }, context);
    return runId;
  }

  /** Logs a batch whole or not at all. Metrics alone need no decision and share their commit with other callers. */
  async logBatch(runId: string, batch: RunBatch, context: CommandContext): Promise<void> {
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

  /** Models that a run names as read or made are the tenant's own, or lineage would lead nowhere, or to a stranger. */
  async link(
    command: Extract<RunCommand, { type: 'LogInputs' | 'LogOutputs' }>,
    context: CommandContext,
  ): Promise<void> {
    const modelIds = command.models.map(({ modelId }) => modelId);
    const [missing] = modelIds.length === 0 ? [] : await this.models.missing(context.tenant, modelIds);
    if (missing !== undefined) {
      throw refused('not-found', 'LOGGED_MODEL_NOT_FOUND', `Logged model with ID '${missing}' not found.`);
    }
    await this.write(command, context);
  }

  /** Anything that a run must be active for; its experiment too, which is not the run's own to know. */
  async write(command: WriteCommand, context: CommandContext): Promise<void> {
    await this.activeRuns.assertActive(context.tenant, command.runId);
    await this.store.handle(
      { decider: runDecider, stream: stream(context.tenant, 'run', command.runId), command },
      context,
    );
  }

  async setDeleted(runId: string, type: 'DeleteRun' | 'RestoreRun', context: CommandContext): Promise<void> {
    const target = { decider: runDecider, stream: stream(context.tenant, 'run', runId), command: { type, runId } };
    await this.store.handle(target, context);
    this.activeRuns.forget();
  }
}

/** The name and its tag say the same, whichever of them the client sent. */
function namedOnce(input: StartRunInput): { name: string; tags: KeyValue[] } {
  for (const { key } of input.tags) {
    const fault = keyFault(key);
    if (fault)
      throw refused(
        'invalid',
        'TAG_INVALID',
        `Invalid value ${JSON.stringify(key)} for parameter 'tags.key' supplied: ${fault}.`,
      );
  }
  const tags = input.tags.map(truncateTag);
  const tagged = tags.find(({ key }) => key === RUN_NAME_TAG)?.value;
  if (input.name && tagged && input.name !== tagged) {
    const message =
      `Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values ` +
      `(run_name='${input.name}', mlflow.runName='${tagged}').`;
    throw refused('invalid', 'RUN_NAMED_TWICE', message);
  }
  const name = input.name || tagged || randomName();
  return {
    name,
    tags: tagged ? tags : [...tags.filter(({ key }) => key !== RUN_NAME_TAG), { key: RUN_NAME_TAG, value: name }],
  };
}
