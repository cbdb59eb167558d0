import { Injectable } from '@nestjs/common';
import type { PipelineEvent, ServiceName } from '@mledger/contracts';
import type { Reaction } from '@mledger/event-bus';
import { reactionCommandId, type Sequenced } from '@mledger/event-log';
import type { EntityManager } from 'typeorm';
import { PipelineHandler } from '../pipeline/pipeline.handler';

type TriggerFired = Extract<Sequenced<PipelineEvent>, { type: 'TriggerFired' }>;

/** Begins the run that a trigger has promised. Its correlation is that of the drift, and so is that of all it leads to. */
@Injectable()
export class BeginRunWhenTriggerFired implements Reaction {
  readonly name = 'begin-run-when-trigger-fired';
  readonly from: readonly ServiceName[] = ['pipelines'];
  readonly on = ['TriggerFired'];

  constructor(private readonly pipelines: PipelineHandler) {}

  async react(sequenced: Sequenced, manager: EntityManager): Promise<void> {
    const event = sequenced as TriggerFired;
    const { tenant, actor, correlation, traceparent } = event;
    const { pipelineId, pipelineRunId, eventId, eventType, monitor } = event.data;
    const commandId = reactionCommandId(event.id, this.name);
    const context = { tenant, actor, correlation, traceparent, cause: event.id, commandId };
    const cause = { kind: 'event', eventId, eventType, monitor } as const;
    await this.pipelines.trigger(pipelineId, pipelineRunId, cause, context, { transaction: manager });
  }
}
