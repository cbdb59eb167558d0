import { createHash } from 'node:crypto';
import type { FeatureKind, ReferenceProfile } from '@mledger/contracts';
import { canonicalJson } from '@mledger/event-log';
import { sampleOf } from '../drift/feature-drift';
import type { Cell, Sample } from '../drift/sample';

/** The reference's rows by feature, as they lie in the object store. */
export interface ReferenceColumns {
  readonly features: readonly {
    readonly feature: string;
    readonly kind: FeatureKind;
    readonly values: readonly Cell[];
  }[];
}

/** The rows as bytes: equal rows give equal bytes, so that the digest tells whether a reference is another one. */
export function encodeProfile(columns: ReferenceColumns): { bytes: Buffer; sha256: string } {
  const bytes = Buffer.from(canonicalJson(columns));
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** @throws when the bytes are not those that were recorded */
export function decodeProfile(bytes: Buffer, profile: ReferenceProfile): ReadonlyMap<string, Sample> {
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== profile.sha256) {
    throw new Error(
      `the reference at ${profile.objectKey} has digest ${found}, recorded was ${profile.sha256}: define the monitor anew`,
    );
  }
  const { features } = JSON.parse(bytes.toString('utf8')) as ReferenceColumns;
  return new Map(features.map(({ feature, kind, values }) => [feature, sampleOf(kind, values)]));
}
