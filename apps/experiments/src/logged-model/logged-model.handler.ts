import { Injectable } from '@nestjs/common';
import { EventStore, stream, type CommandContext, type HandleOptions } from '@mledger/event-log';
import { Ids } from '@mledger/service-kit';
import { notActive } from '../experiment/experiment';
import type { KeyValue } from '../key-values';
import { ExperimentQueries } from '../queries/experiment.queries';
import { RunQueries } from '../queries/run.queries';
import { randomName } from '../run/random-name';
import { refused } from '../refused';
import { loggedModelDecider, type LoggedModelCommand } from './logged-model';

/** MLflow's own list: a name may become a folder, a part of a URI or of a filter. */
const NEVER_IN_NAMES = /[/:.%"']/;

export interface CreateLoggedModelInput {
  readonly experimentId: string;
  readonly name?: string;
  readonly modelType: string;
  readonly sourceRunId?: string;
  readonly params: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
}

/** Loads, decides, appends for logged models. */
@Injectable()
export class LoggedModelHandler {
  constructor(
    private readonly store: EventStore,
    private readonly ids: Ids,
    private readonly experiments: ExperimentQueries,
    private readonly runs: RunQueries,
  ) {}

  /** @returns the new model's id */
  async create(input: CreateLoggedModelInput, context: CommandContext): Promise<string> {
    const { experimentId, sourceRunId, modelType, params, tags } = input;
    if (input.name !== undefined && NEVER_IN_NAMES.test(input.name)) {
      const message = `Invalid model name ('${input.name}') provided. It cannot contain any of / : . % " '`;
      throw refused('invalid', 'LOGGED_MODEL_NAME_INVALID', message);
    }
    const experiment = await this.experiments.find(context.tenant, experimentId);
    if (!experiment) throw refused('not-found', 'EXPERIMENT_NOT_FOUND', `No Experiment with id=${experimentId} exists`);
    if (experiment.deleted) throw refused('invalid', 'EXPERIMENT_DELETED', notActive(experimentId));
    if (sourceRunId !== undefined && !(await this.runs.standing(context.tenant, sourceRunId))) {
      throw refused('not-found', 'RUN_NOT_FOUND', `Run with id=${sourceRunId} not found`);
    }
    const modelId = `m-${this.ids.uuidv7().replaceAll('-', '')}`;
    const artifactLocation = `${experiment.artifact_location}/models/${modelId}/artifacts`;
    const name = input.name ?? randomName();
    const fields = { modelId, experimentId, sourceRunId, name, modelType, artifactLocation, params, tags };
    await this.issue({ type: 'CreateLoggedModel', ...fields, params: [...params], tags: [...tags] }, context);
    return modelId;
  }

  async issue(command: LoggedModelCommand, context: CommandContext, options?: HandleOptions): Promise<void> {
    const target = {
      decider: loggedModelDecider,
      stream: stream(context.tenant, 'logged-model', command.modelId),
      command,
    };
    await this.store.handle(target, context, options);
  }
}
