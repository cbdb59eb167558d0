import { DiskObjectStore, type DiskObjectStoreOptions } from './disk-object-store';
import type { ObjectStore } from './object-store';
import { S3ObjectStore, type S3ObjectStoreOptions } from './s3-object-store';

export type ObjectStoreConfig =
  ({ readonly kind: 'disk' } & DiskObjectStoreOptions) | ({ readonly kind: 's3' } & S3ObjectStoreOptions);

/** Opens the store that the configuration names; makes its folder or bucket when missing. */
export function openObjectStore(config: ObjectStoreConfig): Promise<ObjectStore> {
  return config.kind === 'disk' ? DiskObjectStore.open(config) : S3ObjectStore.open(config);
}
