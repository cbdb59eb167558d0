import { Injectable } from '@nestjs/common';
import { EventStore, stream, type CommandContext } from '@mledger/event-log';
import { Clock, Ids } from '@mledger/service-kit';
import { notActive } from '../experiment/experiment';
import type { KeyValue } from '../key-values';
import { characterCount, KEY_CHARACTERS_MAX } from '../names';
import { ExperimentQueries } from '../queries/experiment.queries';
import { refused } from '../refused';
import { randomName } from './random-name';
import { RUN_NAME_TAG, runDecider, type RunCommand } from './run';
import { truncateTag } from './run-batch';

export interface StartRunInput {
  readonly experimentId: string;
  readonly name?: string;
  readonly userId: string;
  readonly startTime?: number;
  readonly tags: readonly KeyValue[];
}

/** Begins runs. */
@Injectable()
export class StartRunHandler {
  constructor(
    private readonly store: EventStore,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly experiments: ExperimentQueries,
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
}

/**
 * The name and its tag say the same, whichever of them the client sent. MLflow's server holds the keys of tags that a run
 * begins with to no characters, unlike those that are set later; a training that starts there has to start here.
 */
function namedOnce(input: StartRunInput): { name: string; tags: KeyValue[] } {
  const misnamed = input.tags.find(({ key }) => key === '' || characterCount(key) > KEY_CHARACTERS_MAX);
  if (misnamed) {
    const message =
      `Invalid value ${JSON.stringify(misnamed.key)} for parameter 'tags.key' supplied: ` +
      `it must have 1 to ${KEY_CHARACTERS_MAX} characters.`;
    throw refused('invalid', 'TAG_INVALID', message);
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
