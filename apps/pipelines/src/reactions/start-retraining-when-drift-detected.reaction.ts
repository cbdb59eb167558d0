import { Injectable } from '@nestjs/common';
import type { MonitoringEvent, ServiceName } from '@mledger/contracts';
import type { Reaction } from '@mledger/event-bus';
import { EventStore, reactionCommandId, stream, type Sequenced } from '@mledger/event-log';
import { Clock } from '@mledger/service-kit';
import type { EntityManager } from 'typeorm';
import { pipelineDecider } from '../pipeline/pipeline';
import { PIPELINES_TRIGGERED_BY } from '../projections/pipeline-queries.sql';

type TriggeringEvent = Extract<Sequenced<MonitoringEvent>, { type: 'DriftDetected' | 'PerformanceDegraded' }>;

/** Fires the triggers of the pipelines that asked for this; the pipeline itself decides whether its cooldown is over. */
@Injectable()
export class StartRetrainingWhenDriftDetected implements Reaction {
  readonly name = 'start-retraining-when-drift-detected';
  readonly from: readonly ServiceName[] = ['monitoring'];
  readonly on = ['DriftDetected', 'PerformanceDegraded'];

  constructor(
    private readonly store: EventStore,
    private readonly clock: Clock,
  ) {}

  async react(sequenced: Sequenced, manager: EntityManager): Promise<void> {
    const event = sequenced as TriggeringEvent;
    const { tenant, actor, correlation, traceparent } = event;
    const wanted = JSON.stringify([{ on: event.type }]);
    const pipelines: { pipelineId: string }[] = await manager.query(PIPELINES_TRIGGERED_BY, [tenant, wanted]);
    if (pipelines.length === 0) return;
    const fire = { type: 'FireTrigger', on: event.type, monitor: event.data.monitor, eventId: event.id } as const;
    const targets = pipelines.map(({ pipelineId }) => {
      const pipelineRunId = reactionCommandId(event.id, `${this.name}/${pipelineId}`);
      const command = { ...fire, pipelineId, pipelineRunId, at: this.clock.now() };
      return { decider: pipelineDecider, stream: stream(tenant, 'pipeline', pipelineId), command };
    });
    const commandId = reactionCommandId(event.id, this.name);
    const context = { tenant, actor, correlation, traceparent, cause: event.id, commandId };
    await this.store.handleAll(targets, context, { transaction: manager });
  }
}
