import { createHash } from 'node:crypto';
import { ObjectStoreError } from './object-store';

export const OBJECT_KEY_LENGTH_MAX = 512;
const SEGMENT_LENGTH_MAX = 128;
// Starts with a letter, digit or underscore, so neither `.`, `..` nor a hidden file; no percent sign, so nothing to decode.
const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const PREFIX = /^[A-Za-z0-9._/-]*$/;

/**
 * The key of new bytes: `<tenant>/<service>/<ownerId>/<2 hex>/<id>`. No path of a user is ever part of it.
 *
 * @param id made by the caller, unique within its owner; the two hex digits, of its SHA-256, spread a folder's files
 * @throws {ObjectStoreError} `invalid-key` when a part is not of {@link assertObjectKey}'s letters
 */
export function newObjectKey(parts: { tenant: string; service: string; ownerId: string; id: string }): string {
  const { tenant, service, ownerId, id } = parts;
  const spread = createHash('sha256').update(id).digest('hex').slice(0, 2);
  for (const part of [tenant, service, ownerId, id]) assertSegment(part);
  const key = `${tenant}/${service}/${ownerId}/${spread}/${id}`;
  assertObjectKey(key);
  return key;
}

/**
 * Holds a key to segments of `[A-Za-z0-9_][A-Za-z0-9._-]*` between slashes, 128 characters each and 512 in all.
 * Everything that could mean another place on some system (dots, backslashes, NUL, escapes) has no spelling in this.
 * @throws {ObjectStoreError} `invalid-key`
 */
export function assertObjectKey(key: string): void {
  if (key.length > OBJECT_KEY_LENGTH_MAX) throw invalidKey(key, `it has more than ${OBJECT_KEY_LENGTH_MAX} characters`);
  for (const segment of key.split('/')) assertSegment(segment);
}

/** Holds the start of a key, as `list` takes it, to the same letters; it may end anywhere. */
export function assertKeyPrefix(prefix: string): void {
  const segments = prefix.split('/');
  const unfinished = segments.pop() ?? '';
  const fits = prefix.length <= OBJECT_KEY_LENGTH_MAX && PREFIX.test(prefix) && !unfinished.startsWith('.');
  if (!fits) throw invalidKey(prefix, 'it is not the start of a key');
  for (const segment of segments) assertSegment(segment);
}

function assertSegment(segment: string): void {
  if (segment.length > SEGMENT_LENGTH_MAX)
    throw invalidKey(segment, `a part has over ${SEGMENT_LENGTH_MAX} characters`);
  if (!SEGMENT.test(segment)) throw invalidKey(segment, 'a part is empty or has characters other than A-Za-z0-9._-');
}

function invalidKey(key: string, reason: string): ObjectStoreError {
  return new ObjectStoreError('invalid-key', key, `not an object key, ${reason}: ${JSON.stringify(key.slice(0, 80))}`);
}
