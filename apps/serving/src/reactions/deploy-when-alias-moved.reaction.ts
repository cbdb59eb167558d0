import { Injectable } from '@nestjs/common';
import type { RegisteredModelEvent, ServiceName } from '@mledger/contracts';
import type { Reaction } from '@mledger/event-bus';
import { reactionCommandId, type Sequenced } from '@mledger/event-log';
import type { EntityManager } from 'typeorm';
import { forgetHolder, lockAlias, recordHolder } from '../endpoint/alias-holders';
import { EndpointHandler } from '../endpoint/endpoint.handler';
import { EndpointRow } from '../projections/endpoints.projection';

type AliasEvent = Extract<Sequenced<RegisteredModelEvent>, { type: 'AliasMoved' | 'AliasRemoved' }>;

/** Deploys a version to every endpoint that follows the alias it was given. An alias that nobody holds leaves them as they are. */
@Injectable()
export class DeployWhenAliasMoved implements Reaction {
  readonly name = 'deploy-when-alias-moved';
  readonly from: readonly ServiceName[] = ['registry'];
  readonly on = ['AliasMoved', 'AliasRemoved'];

  constructor(private readonly endpoints: EndpointHandler) {}

  async react(sequenced: Sequenced, manager: EntityManager): Promise<void> {
    const event = sequenced as AliasEvent;
    const { tenant, correlation } = event;
    const { modelId, model, alias } = event.data;
    await lockAlias(manager, { tenant, modelId, alias });
    if (event.type === 'AliasRemoved') return forgetHolder(manager, { tenant, modelId, alias });
    const { fromVersion, toVersion: version, reason, runId, loggedModelId, files } = event.data;
    const facts = { modelId, model, version, runId, loggedModelId, files };
    const followers = await manager.find(EndpointRow, {
      where: { tenant, model, alias },
      order: { endpointId: 'ASC' },
    });
    for (const { endpointId } of followers) {
      const moved = `models:/${model}@${alias} moved from ${fromVersion ?? 'nobody'} to ${version}: ${reason}`;
      const context = {
        tenant,
        actor: event.actor,
        correlation,
        cause: event.id,
        traceparent: event.traceparent,
        commandId: reactionCommandId(event.id, `${this.name}/${endpointId}`),
      };
      await this.endpoints.deploy({ endpointId, facts, reason: moved }, context, manager);
    }
    // Last, as every write of a reaction: who loads before the first write cannot invert a stream's order.
    await recordHolder(manager, { tenant, modelId, alias }, facts);
  }
}
