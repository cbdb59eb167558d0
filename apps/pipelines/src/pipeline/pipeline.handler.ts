import { Injectable } from '@nestjs/common';
import type { PipelineRunEvent, RunCause } from '@mledger/contracts';
import {
  CommandRefused,
  EventStore,
  stream,
  type CommandContext,
  type Handled,
  type HandleOptions,
} from '@mledger/event-log';
import { Ids } from '@mledger/service-kit';
import { pipelineNameDecider } from '../pipeline-name/pipeline-name';
import { pipelineRunDecider, type PipelineRunCommand, type PipelineRunState } from '../pipeline-run/pipeline-run';
import { pipelineDecider, type PipelineDefinition } from './pipeline';

type HandledRun = Handled<PipelineRunState, PipelineRunEvent>;

/** Loads, decides and appends for pipelines, which clients know by name, and for their runs. */
@Injectable()
export class PipelineHandler {
  constructor(
    private readonly store: EventStore,
    private readonly ids: Ids,
  ) {}

  /** Defines a pipeline or defines it anew; runs under way follow the definition they began with. */
  async define(name: string, definition: PipelineDefinition, context: CommandContext): Promise<void> {
    const pipelineId = (await this.idOf(context.tenant, name)) ?? this.ids.uuidv7();
    const pipeline = {
      decider: pipelineDecider,
      stream: stream(context.tenant, 'pipeline', pipelineId),
      command: { type: 'DefinePipeline', pipelineId, name, definition, actor: context.actor },
    } as const;
    // A named version is about the pipeline, which therefore goes first; and a repeat needs the same targets again.
    await this.store.handleAll([pipeline, this.nameTarget(context.tenant, name, 'ClaimName', pipelineId)], context);
  }

  async delete(name: string, context: CommandContext): Promise<void> {
    // Under an id that nothing has, the decider refuses; and a repeat of what was done gets its first answer.
    const pipelineId = (await this.idOf(context.tenant, name)) ?? this.ids.uuidv7();
    const pipeline = {
      decider: pipelineDecider,
      stream: stream(context.tenant, 'pipeline', pipelineId),
      command: { type: 'DeletePipeline', pipelineId },
    } as const;
    await this.store.handleAll([pipeline, this.nameTarget(context.tenant, name, 'ReleaseName', pipelineId)], context);
  }

  /** @returns the id of the run that begins */
  async triggerByName(name: string, context: CommandContext): Promise<string> {
    const pipelineId = await this.existingId(context.tenant, name);
    const handled = await this.trigger(pipelineId, this.ids.uuidv7(), { kind: 'request' }, context);
    if (handled === undefined) throw notFound(name);
    return handled.state.pipelineRunId;
  }

  /** Begins a run of the pipeline as it is defined now. @returns undefined when it was deleted */
  async trigger(
    pipelineId: string,
    pipelineRunId: string,
    cause: RunCause,
    context: CommandContext,
    options?: HandleOptions,
  ): Promise<HandledRun | undefined> {
    const { state } = await this.store.load(pipelineDecider, stream(context.tenant, 'pipeline', pipelineId));
    if (state.status !== 'defined') return undefined;
    const { revision, definer, definition } = state;
    const { steps, role } = definition;
    const about = { pipelineRunId, pipelineId, pipeline: state.name, revision, definer, cause };
    const command: PipelineRunCommand = { type: 'TriggerRun', ...about, steps, role };
    return this.toRun(pipelineRunId, command, context, options);
  }

  async toRun(
    pipelineRunId: string,
    command: PipelineRunCommand,
    context: CommandContext,
    options?: HandleOptions,
  ): Promise<HandledRun> {
    const target = { decider: pipelineRunDecider, stream: runStream(context.tenant, pipelineRunId), command };
    return this.store.handle(target, context, options);
  }

  async loadRun(tenant: string, pipelineRunId: string): Promise<PipelineRunState> {
    return (await this.store.load(pipelineRunDecider, runStream(tenant, pipelineRunId))).state;
  }

  private async idOf(tenant: string, name: string): Promise<string | null> {
    const { state } = await this.store.load(pipelineNameDecider, stream(tenant, 'pipeline-name', name));
    return state.pipelineId;
  }

  private async existingId(tenant: string, name: string): Promise<string> {
    const pipelineId = await this.idOf(tenant, name);
    if (pipelineId === null) throw notFound(name);
    return pipelineId;
  }

  private nameTarget(tenant: string, pipeline: string, type: 'ClaimName' | 'ReleaseName', pipelineId: string) {
    return {
      decider: pipelineNameDecider,
      stream: stream(tenant, 'pipeline-name', pipeline),
      command: { type, pipeline, pipelineId },
    };
  }
}

function runStream(tenant: string, pipelineRunId: string): string {
  return stream(tenant, 'pipeline-run', pipelineRunId);
}

function notFound(name: string): CommandRefused {
  return new CommandRefused({ kind: 'not-found', code: 'PIPELINE_NOT_FOUND', message: `There is no pipeline ${name}` });
}
