import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { CommandRefused, EventStore, stream, type CommandContext } from '@mledger/event-log';
import { Clock } from '@mledger/service-kit';
import type { KeyValue } from '../key-values';
import { ExperimentQueries } from '../queries/experiment.queries';
import { ActiveRuns } from '../run/active-runs';
import { checkedArtifactLocation, ownArtifactLocation } from './artifact-location';
import { DEFAULT_EXPERIMENT, experimentDecider, type ExperimentCommand } from './experiment';
import { experimentNameDecider } from './experiment-name';

const RENAME_TRIES_MAX = 3;

/** Loads, decides, appends for experiments and their names. */
@Injectable()
export class ExperimentHandler {
  /** Tenants whose default experiment is known to be there. */
  private readonly withDefault = new Set<string>();

  constructor(
    private readonly store: EventStore,
    private readonly clock: Clock,
    private readonly queries: ExperimentQueries,
    private readonly activeRuns: ActiveRuns,
  ) {}

  /** @returns the new experiment's id: digits alone, as MLflow's clients expect */
  async create(
    input: { name: string; artifactLocation?: string; tags: readonly KeyValue[] },
    context: CommandContext,
  ): Promise<string> {
    const experimentId = `${this.clock.nowMs()}${String(randomInt(100_000)).padStart(5, '0')}`;
    const artifactLocation = input.artifactLocation
      ? checkedArtifactLocation(input.artifactLocation)
      : ownArtifactLocation(experimentId);
    await this.claim({ experimentId, name: input.name, artifactLocation, tags: input.tags }, context);
    return experimentId;
  }

  /**
   * Makes the experiment that every tenant has from the start, at the tenant's first request: so it is there however
   * the tenant came to be, and without waiting for another service's events.
   */
  async ensureDefault(context: CommandContext): Promise<void> {
    const { tenant } = context;
    if (this.withDefault.has(tenant)) return;
    const { experimentId, name } = DEFAULT_EXPERIMENT;
    if (!(await this.queries.find(tenant, experimentId))) {
      // Without the request's command id, which is the client's own command's.
      const { commandId: _id, requestHash: _hash, expectedVersion: _version, ...meta } = context;
      const artifactLocation = ownArtifactLocation(experimentId);
      await this.claim({ experimentId, name, artifactLocation, tags: [] }, meta).catch(ignoreExisting);
    }
    this.withDefault.add(tenant);
  }

  /** A name is a stream of its own, so the old one is let go and the new one taken in the same transaction. */
  async rename(experimentId: string, toName: string, context: CommandContext): Promise<void> {
    const { tenant } = context;
    for (let attempt = 1; ; attempt++) {
      const { state } = await this.store.load(experimentDecider, stream(tenant, 'experiment', experimentId));
      if (state.status !== 'active' || state.name === toName) {
        await this.issue({ type: 'RenameExperiment', experimentId, fromName: toName, toName }, context);
        return;
      }
      const fromName = state.name;
      try {
        await this.store.handleAll(
          [
            experimentTarget(tenant, { type: 'RenameExperiment', experimentId, fromName, toName }),
            nameTarget(tenant, 'ClaimName', toName, experimentId),
            nameTarget(tenant, 'ReleaseName', fromName, experimentId),
          ],
          context,
        );
        return;
      } catch (error) {
        const overtaken = error instanceof CommandRefused && error.refusal.code === 'EXPERIMENT_RENAMED';
        if (!overtaken || attempt >= RENAME_TRIES_MAX) throw error;
      }
    }
  }

  async issue(command: ExperimentCommand, context: CommandContext): Promise<void> {
    await this.store.handle(experimentTarget(context.tenant, command), context);
    // Whether a run takes metrics depends on its experiment.
    if (command.type === 'DeleteExperiment' || command.type === 'RestoreExperiment') this.activeRuns.forget();
  }

  private async claim(
    experiment: Omit<Extract<ExperimentCommand, { type: 'CreateExperiment' }>, 'type'>,
    context: CommandContext,
  ): Promise<void> {
    const { tenant } = context;
    const { experimentId, name } = experiment;
    await this.store.handleAll(
      [
        nameTarget(tenant, 'ClaimName', name, experimentId),
        experimentTarget(tenant, { type: 'CreateExperiment', ...experiment }),
      ],
      context,
    );
  }
}

function experimentTarget(tenant: string, command: ExperimentCommand) {
  return { decider: experimentDecider, stream: stream(tenant, 'experiment', command.experimentId), command };
}

function nameTarget(tenant: string, type: 'ClaimName' | 'ReleaseName', name: string, experimentId: string) {
  const command = { type, name, experimentId };
  return { decider: experimentNameDecider, stream: stream(tenant, 'experiment-name', name), command };
}

/** Another request, or another replica, was first. */
function ignoreExisting(error: unknown): void {
  if (!(error instanceof CommandRefused && error.refusal.kind === 'exists')) throw error;
}
