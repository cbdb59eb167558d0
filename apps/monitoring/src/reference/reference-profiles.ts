import { buffer } from 'node:stream/consumers';
import { Inject, Injectable } from '@nestjs/common';
import type { ReferenceProfile } from '@mledger/contracts';
import { newObjectKey, type ObjectStore } from '@mledger/object-store';
import { OBJECT_STORE } from '@mledger/service-kit';
import type { Sample } from '../drift/sample';
import { decodeProfile, encodeProfile, type ReferenceColumns } from './reference-profile';

/** How many references stay in memory, read and sorted. */
const PROFILES_CACHED_MAX = 32;

/** Reference distributions in the object store, each under the digest of its rows. */
@Injectable()
export class ReferenceProfiles {
  private readonly cached = new Map<string, ReadonlyMap<string, Sample>>();

  constructor(@Inject(OBJECT_STORE) private readonly objects: ObjectStore) {}

  /** Storing the same rows again changes nothing. */
  async put(owner: { tenant: string; monitorId: string }, columns: ReferenceColumns): Promise<ReferenceProfile> {
    const { bytes, sha256 } = encodeProfile(columns);
    const { tenant, monitorId: ownerId } = owner;
    const objectKey = newObjectKey({ tenant, service: 'monitoring', ownerId, id: sha256 });
    await this.objects.put(objectKey, bytes, { contentType: 'application/json' });
    return { objectKey, sha256 };
  }

  async delete(profile: ReferenceProfile): Promise<void> {
    await this.objects.delete(profile.objectKey);
  }

  /** The samples of each feature. */
  async get(profile: ReferenceProfile): Promise<ReadonlyMap<string, Sample>> {
    const known = this.cached.get(profile.objectKey);
    this.cached.delete(profile.objectKey);
    const samples = known ?? decodeProfile(await this.read(profile.objectKey), profile);
    this.cached.set(profile.objectKey, samples);
    // The one that was not used for longest stands first.
    for (const [key] of this.cached) if (this.cached.size > PROFILES_CACHED_MAX) this.cached.delete(key);
    return samples;
  }

  private async read(objectKey: string): Promise<Buffer> {
    const { body } = await this.objects.get(objectKey);
    return buffer(body);
  }
}
