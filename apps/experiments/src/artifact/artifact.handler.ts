import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { CommandRefused, type CommandContext } from '@mledger/event-log';
import { newObjectKey, type ByteRange, type ObjectBody, type ObjectStore } from '@mledger/object-store';
import { Ids, OBJECT_STORE } from '@mledger/service-kit';
import type { EntityManager } from 'typeorm';
import { ArtifactQueries, type ArtifactEntry } from '../queries/artifact.queries';
import { refused } from '../refused';
import { ArtifactOwners } from './artifact-owners';
import type { ArtifactAddress } from './artifact-path';
import { Uploads } from './uploads';

/** Moves artifacts between clients and the object store, and records where each one lies. */
@Injectable()
export class ArtifactHandler {
  constructor(
    @Inject(OBJECT_STORE) private readonly objects: ObjectStore,
    private readonly owners: ArtifactOwners,
    private readonly artifacts: ArtifactQueries,
    private readonly uploads: Uploads,
    private readonly ids: Ids,
  ) {}

  /**
   * Streams a body into the object store under a key of its own, and then says in the owner's stream that it is there. The
   * bytes that a path had before stay: earlier events name them. A body that breaks off leaves nothing.
   */
  async store(address: ArtifactAddress, body: Readable, context: CommandContext): Promise<void> {
    const { tenant } = context;
    const { experimentId, path } = address;
    await this.owners.assertWritable(tenant, address);
    const obstacle = await this.artifacts.inTheWay(tenant, address.ownerId, path);
    if (obstacle !== undefined) {
      throw refused(
        'invalid',
        'PATH_IN_USE',
        `Invalid path: '${obstacle}' is there already, so '${path}' cannot be a file`,
      );
    }
    const objectKey = newObjectKey({ tenant, service: 'experiments', ownerId: experimentId, id: this.ids.uuidv7() });
    await this.uploads.begin(objectKey);
    const { sizeBytes, sha256 } = await this.objects.put(objectKey, body).catch(async (error: unknown) => {
      await this.uploads.discard(objectKey);
      // The client's own doing, and no failure of ours.
      if (body.errored)
        throw refused('invalid', 'UPLOAD_BROKEN_OFF', 'The upload broke off before its end; nothing was stored.');
      throw error;
    });
    const artifact = { experimentId, path, sizeBytes, sha256, objectKey };
    try {
      const within = (manager: EntityManager) => this.uploads.complete(objectKey, manager);
      await this.owners.record(address, artifact, context, { within });
    } catch (error) {
      // Any other error may have come after the commit, and then an event names these bytes.
      if (error instanceof CommandRefused) await this.uploads.discard(objectKey);
      throw error;
    }
  }

  /** @throws CommandRefused not-found; ObjectStoreError when a range lies outside */
  async open(tenant: string, address: ArtifactAddress, range?: ByteRange): Promise<ObjectBody> {
    await this.owners.assertKnown(tenant, address);
    const found = await this.artifacts.find(tenant, address.ownerId, address.path);
    if (!found) throw refused('not-found', 'ARTIFACT_NOT_FOUND', `No such artifact: '${address.path}'`);
    return this.objects.get(found.object_key, range);
  }

  async list(tenant: string, address: ArtifactAddress): Promise<ArtifactEntry[]> {
    await this.owners.assertKnown(tenant, address);
    return this.artifacts.list(tenant, address.ownerId, address.path);
  }

  /** Forgets a file or a folder, and then its bytes; a crash between the two leaves bytes that nothing lists. */
  async remove(address: ArtifactAddress, context: CommandContext): Promise<void> {
    await this.owners.assertKnown(context.tenant, address);
    const found = await this.artifacts.below(context.tenant, address.ownerId, address.path);
    if (found.length === 0) throw refused('not-found', 'ARTIFACT_NOT_FOUND', `No such artifact: '${address.path}'`);
    await this.owners.forget(
      address,
      found.map(({ path }) => path),
      context,
    );
    for (const { object_key: key } of found) await this.objects.delete(key);
  }
}
