import { Injectable } from '@nestjs/common';
import type { RegisteredModelEvent, ServiceName } from '@mledger/contracts';
import type { Reaction } from '@mledger/event-bus';
import { reactionCommandId, type CommandContext, type Sequenced } from '@mledger/event-log';
import type { EntityManager } from 'typeorm';
import { forgetHolder, lockAlias, recordHolder } from '../endpoint/alias-holders';
import { EndpointHandler } from '../endpoint/endpoint.handler';
import { EndpointRow } from '../projections/endpoints.projection';

type AliasEvent = Extract<Sequenced<RegisteredModelEvent>, { type: 'AliasMoved' | 'AliasRemoved' }>;
type RenameEvent = Extract<Sequenced<RegisteredModelEvent>, { type: 'ModelRenamed' }>;

/**
 * Deploys a version to every endpoint that follows the alias it was given. An alias that nobody holds leaves them as they are.
 * Renames are taken here too, in their order among the moves: a move names the model as it is called by then.
 */
@Injectable()
export class DeployWhenAliasMoved implements Reaction {
  readonly name = 'deploy-when-alias-moved';
  readonly from: readonly ServiceName[] = ['registry'];
  readonly on = ['AliasMoved', 'AliasRemoved', 'ModelRenamed'];

  constructor(private readonly endpoints: EndpointHandler) {}

  async react(sequenced: Sequenced, manager: EntityManager): Promise<void> {
    const event = sequenced as AliasEvent | RenameEvent;
    if (event.type === 'ModelRenamed') return this.followRename(event, manager);
    const { tenant } = event;
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
      await this.endpoints.deploy({ endpointId, facts, reason: moved }, this.contextOf(event, endpointId), manager);
    }
    // Last, as every write of a reaction: who loads before the first write cannot invert a stream's order.
    await recordHolder(manager, { tenant, modelId, alias }, facts);
  }

  private async followRename(event: RenameEvent, manager: EntityManager): Promise<void> {
    const { model: fromName, toName } = event.data;
    const where = { tenant: event.tenant, model: fromName };
    for (const { endpointId } of await manager.find(EndpointRow, { where, order: { endpointId: 'ASC' } })) {
      await this.endpoints.followRename({ endpointId, fromName, toName }, this.contextOf(event, endpointId), manager);
    }
  }

  private contextOf(event: AliasEvent | RenameEvent, endpointId: string): CommandContext {
    const { tenant, actor, correlation, traceparent } = event;
    const commandId = reactionCommandId(event.id, `${this.name}/${endpointId}`);
    return { tenant, actor, correlation, cause: event.id, traceparent, commandId };
  }
}
