import { Injectable } from '@nestjs/common';
import type { ModelOrigin, RegisteredModelEvent } from '@mledger/contracts';
import { Ids } from '@mledger/service-kit';
import { CommandRefused, EventStore, stream, type AsOf, type CommandContext, type Handled } from '@mledger/event-log';
import { modelNameDecider } from '../model-name/model-name';
import { ModelSources } from '../sources/model-sources';
import { invalid, parseModelSource, versionMeant } from './model-source';
import type { RegisteredModelState } from './model-state';
import { registeredModelDecider, type RegisteredModelCommand } from './registered-model';

export interface FoundModel {
  readonly modelId: string;
  readonly state: RegisteredModelState;
  /** Version of the model's stream that the state stands for. */
  readonly version: number;
}

interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface NewVersion {
  readonly source: string;
  readonly runId: string | null;
  readonly loggedModelId: string | null;
  readonly runLink: string;
  readonly description: string;
  readonly tags: readonly Tag[];
}

/** MLflow's mark of a prompt, on a registered model and on its versions. */
const PROMPT_TAG = 'mlflow.prompt.is_prompt';

/** Loads, decides and appends for registered models, which clients know by name. */
@Injectable()
export class RegisteredModelHandler {
  constructor(
    private readonly store: EventStore,
    private readonly ids: Ids,
    private readonly sources: ModelSources,
  ) {}

  /** The model of a name, now or at a moment in the past. @throws CommandRefused `not-found` */
  async find(tenant: string, name: string, at?: AsOf): Promise<FoundModel> {
    const claimed = await this.store.load(modelNameDecider, stream(tenant, 'model-name', name), at);
    const { modelId } = claimed.state;
    if (modelId === null) throw modelNotFound(name);
    return { modelId, ...(await this.load(tenant, modelId, at)) };
  }

  async load(tenant: string, modelId: string, at?: AsOf): Promise<{ state: RegisteredModelState; version: number }> {
    return this.store.load(registeredModelDecider, modelStream(tenant, modelId), at);
  }

  /** Issues one command to the model of a name. */
  async issue(
    name: string,
    command: RegisteredModelCommand,
    context: CommandContext,
  ): Promise<Handled<RegisteredModelState, RegisteredModelEvent>> {
    const { modelId } = await this.find(context.tenant, name);
    return this.issueTo(modelId, command, context);
  }

  async issueTo(
    modelId: string,
    command: RegisteredModelCommand,
    context: CommandContext,
  ): Promise<Handled<RegisteredModelState, RegisteredModelEvent>> {
    const target = { decider: registeredModelDecider, stream: modelStream(context.tenant, modelId), command };
    return this.store.handle(target, context);
  }

  async register(
    model: { readonly name: string; readonly description: string; readonly tags: readonly Tag[] },
    context: CommandContext,
  ): Promise<void> {
    const modelId = this.ids.uuidv7();
    await this.store.handleAll(
      [
        this.nameTarget(context.tenant, model.name, 'ClaimName', modelId),
        this.modelTarget(context.tenant, modelId, { type: 'RegisterModel', modelId, ...model }),
      ],
      context,
    );
  }

  async rename(name: string, toName: string, context: CommandContext): Promise<void> {
    const { modelId } = await this.find(context.tenant, name);
    if (toName === name) return;
    await this.store.handleAll(
      [
        this.nameTarget(context.tenant, name, 'ReleaseName', modelId),
        this.nameTarget(context.tenant, toName, 'ClaimName', modelId),
        this.modelTarget(context.tenant, modelId, { type: 'RenameModel', toName }),
      ],
      context,
    );
  }

  async delete(name: string, context: CommandContext): Promise<void> {
    const { modelId } = await this.find(context.tenant, name);
    await this.store.handleAll(
      [
        this.nameTarget(context.tenant, name, 'ReleaseName', modelId),
        this.modelTarget(context.tenant, modelId, { type: 'DeleteModel' }),
      ],
      context,
    );
  }

  /** @returns the number of the new version */
  async createVersion(name: string, version: NewVersion, context: CommandContext): Promise<number> {
    const { modelId } = await this.find(context.tenant, name);
    const origin = await this.originOf(version, context.tenant);
    const { runLink, description, tags } = version;
    const command = { type: 'CreateVersion', origin, runLink, description, tags } as const;
    const { events, state } = await this.issueTo(modelId, command, context);
    const [created] = events;
    return created?.type === 'ModelVersionCreated' ? created.data.version : state.versions.length;
  }

  private async originOf(version: NewVersion, tenant: string): Promise<ModelOrigin> {
    const { source, runId, loggedModelId } = version;
    const parsed = parseModelSource(source, { prompt: isPrompt(version.tags) });
    if ('refusal' in parsed) throw new CommandRefused(parsed.refusal);
    if (parsed.kind !== 'version' && parsed.kind !== 'alias' && parsed.kind !== 'latest') {
      return this.sources.originOf({ tenant, source, parsed, runId, loggedModelId });
    }
    const { state } = await this.find(tenant, parsed.model);
    const number = versionMeant(state, parsed);
    const copied = number === undefined ? undefined : state.versions[number - 1];
    if (copied === undefined || copied.deleted) {
      throw new CommandRefused(invalid(source, 'There is no such version.').refusal);
    }
    const { origin } = copied;
    if (
      (runId !== null && runId !== origin.runId) ||
      (loggedModelId !== null && loggedModelId !== origin.loggedModelId)
    ) {
      const hint = 'The run_id and model_id request parameters must match the referenced model version.';
      throw new CommandRefused(invalid(source, hint).refusal);
    }
    return { ...origin, source: `models:/${state.name}/${number}` };
  }

  private nameTarget(tenant: string, model: string, type: 'ClaimName' | 'ReleaseName', modelId: string) {
    return {
      decider: modelNameDecider,
      stream: stream(tenant, 'model-name', model),
      command: { type, model, modelId },
    };
  }

  private modelTarget(tenant: string, modelId: string, command: RegisteredModelCommand) {
    return { decider: registeredModelDecider, stream: modelStream(tenant, modelId), command };
  }
}

export function modelStream(tenant: string, modelId: string): string {
  return stream(tenant, 'model', modelId);
}

function isPrompt(tags: readonly Tag[]): boolean {
  return tags.findLast(({ key }) => key === PROMPT_TAG)?.value.toLowerCase() === 'true';
}

function modelNotFound(name: string): CommandRefused {
  const message = `Registered Model with name=${name} not found`;
  return new CommandRefused({ kind: 'not-found', code: 'MODEL_NOT_FOUND', message });
}
