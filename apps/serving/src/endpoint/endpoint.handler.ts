import { Injectable } from '@nestjs/common';
import type { EndpointFollows, ServedModel } from '@mledger/contracts';
import { EventStore, stream, type CommandContext } from '@mledger/event-log';
import { ApiError, Ids } from '@mledger/service-kit';
import { DataSource, type EntityManager } from 'typeorm';
import { ModelLoader } from '../inference/model-loader';
import { ModelUnusable } from '../inference/session-pool';
import { EndpointRow } from '../projections/endpoints.projection';
import { RegistryModelRow } from '../projections/registry-models.read-model';
import { RegistryVersionRow } from '../projections/registry-versions.read-model';
import { holderOf, lockAlias } from './alias-holders';
import { endpointNameDecider } from './endpoint-name';
import { EndpointDirectory } from './endpoint-directory';
import { endpointDecider, type Endpoint, type EndpointCommand } from './endpoint';
import { servedModelOf, type VersionFacts } from './served-model';

/** Loads, decides and appends for endpoints, which clients know by name. */
@Injectable()
export class EndpointHandler {
  constructor(
    private readonly store: EventStore,
    private readonly dataSource: DataSource,
    private readonly ids: Ids,
    private readonly models: ModelLoader,
    private readonly directory: EndpointDirectory,
  ) {}

  /**
   * Makes an endpoint follow a model; a new one deploys at once what it follows, if anybody holds the alias.
   *
   * @throws ApiError 404 for a version that is not registered, 422 for one that cannot be served
   */
  async follow(name: string, follows: EndpointFollows, context: CommandContext): Promise<Endpoint> {
    const { tenant } = context;
    const written = await this.dataSource.transaction(async (transaction) => {
      const model = await this.modelToServe(transaction, tenant, follows);
      const known = await this.idOf(transaction, tenant, name);
      const endpointId = known ?? this.ids.uuidv7();
      const command: EndpointCommand =
        known === undefined
          ? { type: 'CreateEndpoint', endpointId, endpoint: name, follows }
          : { type: 'Retarget', follows };
      const [followed] = await this.store.handleAll(
        this.targets({ tenant, endpointId, name }, command, 'ClaimName'),
        context,
        { transaction },
      );
      const { state, version, replayed } = followed;
      // A repeat has deployed already, and what came after it stays.
      if (!model || replayed) return { endpointId: state.endpointId, version };
      const reason = `${name} follows ${followedUri(follows)}`;
      const deploy = { type: 'DeployModel', servedModel: model, reason } as const;
      const target = { decider: endpointDecider, stream: endpointStream(tenant, endpointId), command: deploy };
      const deployed = await this.store.handle(target, withoutCommandId(context), { transaction });
      return { endpointId, version: deployed.version };
    });
    await this.directory.waitFor(endpointStream(tenant, written.endpointId), written.version);
    return this.directory.get(tenant, name);
  }

  /** Issues one command to the endpoint of a name, and waits until this replica acts on it. */
  async issue(name: string, command: EndpointCommand, context: CommandContext): Promise<Endpoint> {
    const { endpointId } = this.directory.get(context.tenant, name);
    const target = endpointStream(context.tenant, endpointId);
    const { version, state } = await this.store.handle({ decider: endpointDecider, stream: target, command }, context);
    await this.directory.waitFor(target, version);
    return state;
  }

  async delete(name: string, context: CommandContext): Promise<void> {
    const { tenant } = context;
    // Under an id that nothing has, the decider refuses; and a repeat of what was done gets its first answer.
    const endpointId = (await this.idOf(this.dataSource.manager, tenant, name)) ?? this.ids.uuidv7();
    const targets = this.targets({ tenant, endpointId, name }, { type: 'DeleteEndpoint' }, 'ReleaseName');
    const [{ state, version }] = await this.store.handleAll(targets, context);
    await this.directory.waitFor(endpointStream(tenant, state.endpointId), version);
  }

  /** Deploys a version to one endpoint, or records why that cannot be. The model is loaded first, so that what is deployed can answer. */
  async deploy(
    input: { endpointId: string; facts: VersionFacts; reason: string },
    context: CommandContext,
    transaction: EntityManager,
  ): Promise<void> {
    const target = endpointStream(context.tenant, input.endpointId);
    const command = await this.deployment(input.facts, input.reason);
    await this.store.handle({ decider: endpointDecider, stream: target, command }, context, { transaction });
  }

  /** Makes one endpoint follow its model under the model's new name. */
  async followRename(
    { endpointId, ...names }: { endpointId: string; fromName: string; toName: string },
    context: CommandContext,
    transaction: EntityManager,
  ): Promise<void> {
    const command = { type: 'FollowRename', ...names } as const;
    const target = endpointStream(context.tenant, endpointId);
    await this.store.handle({ decider: endpointDecider, stream: target, command }, context, { transaction });
  }

  private async deployment(facts: VersionFacts, reason: string): Promise<EndpointCommand> {
    const served = servedModelOf(facts);
    if ('unusable' in served) return { type: 'RecordFailedRevision', reason: served.unusable };
    try {
      await this.models.ensure(served.model);
      return { type: 'DeployModel', servedModel: served.model, reason };
    } catch (error) {
      if (error instanceof ModelUnusable) return { type: 'RecordFailedRevision', reason: error.message };
      throw error;
    }
  }

  /** By the manager's own connection: who holds one and waits for another keeps both from everybody. */
  private async idOf(manager: EntityManager, tenant: string, endpoint: string): Promise<string | undefined> {
    return (await manager.findOneBy(EndpointRow, { tenant, endpoint }))?.endpointId;
  }

  /** An endpoint and its name, in the same order for every try of a command. */
  private targets(
    { tenant, endpointId, name }: { tenant: string; endpointId: string; name: string },
    command: EndpointCommand,
    type: 'ClaimName' | 'ReleaseName',
  ) {
    return [
      { decider: endpointDecider, stream: endpointStream(tenant, endpointId), command },
      { decider: endpointNameDecider, stream: nameStream(tenant, name), command: { type, endpointId, endpoint: name } },
    ] as const;
  }

  private async modelToServe(
    manager: EntityManager,
    tenant: string,
    follows: EndpointFollows,
  ): Promise<ServedModel | undefined> {
    const facts = await this.factsOf(manager, tenant, follows);
    if (!facts) return undefined;
    const served = servedModelOf(facts);
    if ('unusable' in served) throw unprocessable(served.unusable);
    try {
      await this.models.ensure(served.model);
      return served.model;
    } catch (error) {
      throw error instanceof ModelUnusable ? unprocessable(error.message) : error;
    }
  }

  private async factsOf(
    manager: EntityManager,
    tenant: string,
    { model, alias, version }: EndpointFollows,
  ): Promise<VersionFacts | undefined> {
    const registered = await manager.findOneBy(RegistryModelRow, { tenant, model });
    if (!registered) throw ApiError.notFound(`there is no registered model ${model}`);
    const { modelId } = registered;
    if (alias !== null) {
      await lockAlias(manager, { tenant, modelId, alias });
      const held = await holderOf(manager, { tenant, modelId, alias });
      return held && { ...held, model };
    }
    const facts = await manager.findOneBy(RegistryVersionRow, { tenant, modelId, version: version! });
    if (!facts) throw ApiError.notFound(`there is no registered model ${model} with version ${version}`);
    return { ...facts, model };
  }
}

export function endpointStream(tenant: string, endpointId: string): string {
  return stream(tenant, 'endpoint', endpointId);
}

function nameStream(tenant: string, name: string): string {
  return stream(tenant, 'endpoint-name', name);
}

export function followedUri({ model, alias, version }: EndpointFollows): string {
  return alias === null ? `models:/${model}/${version}` : `models:/${model}@${alias}`;
}

/** The second command of one request must not be taken for a repetition of the first. */
function withoutCommandId({
  commandId: _commandId,
  requestHash: _requestHash,
  expectedVersion: _expectedVersion,
  ...rest
}: CommandContext): CommandContext {
  return rest;
}

function unprocessable(message: string): ApiError {
  return new ApiError({ status: 422, code: 'MODEL_UNUSABLE', message });
}
