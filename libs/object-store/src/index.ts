export * from './object-store';
export * from './object-key';
export * from './open-object-store';
export { DiskObjectStore, type DiskObjectStoreOptions } from './disk-object-store';
export { S3ObjectStore, attachment, type S3ObjectStoreOptions } from './s3-object-store';
export { DigestMeter, type Digests } from './digests';
export { PRESIGNED_PATH, PRESIGN_SECONDS_MAX, verifyPresigned, type PresignedGrant } from './presign';
