import { Injectable } from '@nestjs/common';
import type { CommandContext, HandleOptions } from '@mledger/event-log';
import { LoggedModelHandler } from '../logged-model/logged-model.handler';
import { LoggedModelQueries } from '../queries/logged-model.queries';
import { RunQueries } from '../queries/run.queries';
import { refused } from '../refused';
import { ActiveRuns } from '../run/active-runs';
import { RunHandler } from '../run/run.handler';
import type { ArtifactAddress } from './artifact-path';

interface StoredFile {
  readonly experimentId: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly objectKey: string;
}

/** Artifacts belong to a run or to a logged model; this is the one place that tells the two apart. */
@Injectable()
export class ArtifactOwners {
  constructor(
    private readonly runs: RunHandler,
    private readonly models: LoggedModelHandler,
    private readonly activeRuns: ActiveRuns,
    private readonly runQueries: RunQueries,
    private readonly modelQueries: LoggedModelQueries,
  ) {}

  /** @throws CommandRefused when the tenant has no such owner in that experiment */
  async assertKnown(tenant: string, address: ArtifactAddress): Promise<void> {
    const owner =
      address.ownerKind === 'run'
        ? await this.runQueries.standing(tenant, address.ownerId)
        : await this.modelQueries.standing(tenant, address.ownerId);
    if (owner?.experimentId !== address.experimentId) throw notThere(address);
  }

  /** @throws CommandRefused when the owner is not there or is deleted; before any byte is taken */
  async assertWritable(tenant: string, address: ArtifactAddress): Promise<void> {
    if (address.ownerKind === 'run') {
      const experimentId = await this.activeRuns.assertActive(tenant, address.ownerId);
      if (experimentId !== address.experimentId) throw notThere(address);
      return;
    }
    const model = await this.modelQueries.standing(tenant, address.ownerId);
    if (!model || model.deleted || model.experimentId !== address.experimentId) throw notThere(address);
  }

  async record(
    { ownerKind, ownerId }: ArtifactAddress,
    artifact: StoredFile,
    context: CommandContext,
    options: HandleOptions,
  ): Promise<void> {
    if (ownerKind === 'run')
      await this.runs.write({ type: 'StoreArtifact', runId: ownerId, artifact }, context, options);
    else await this.models.issue({ type: 'StoreArtifact', modelId: ownerId, artifact }, context, options);
  }

  async forget(address: ArtifactAddress, paths: readonly string[], context: CommandContext): Promise<void> {
    const { ownerKind, ownerId, experimentId } = address;
    const type = 'DeleteArtifacts';
    if (ownerKind === 'run') await this.runs.write({ type, runId: ownerId, experimentId, paths }, context);
    else await this.models.issue({ type, modelId: ownerId, experimentId, paths }, context);
  }
}

function notThere({ ownerKind, ownerId, experimentId }: ArtifactAddress) {
  const what = ownerKind === 'run' ? 'run' : 'logged model';
  return refused(
    'not-found',
    'ARTIFACT_OWNER_NOT_FOUND',
    `No ${what} with id=${ownerId} exists in experiment ${experimentId}`,
  );
}
