import type { Readable } from 'node:stream';

/** What a put stored; the digests are of the bytes as they passed, not read back. */
export interface StoredObject {
  readonly sizeBytes: number;
  /** The store's own name for this content: equal while the object is unchanged. Not a digest; see `md5`. */
  readonly etag: string;
  /** 32 lower-case hex digits. */
  readonly md5: string;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
}

export interface ObjectHead {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  /** RFC 3339 in UTC with three decimals. */
  readonly modifiedAt: string;
}

/** A part of an object: `length` bytes from `offset`, or all from there on; a longer length stops at the end. */
export interface ByteRange {
  readonly offset: number;
  readonly length?: number;
}

export interface ObjectBody extends ObjectHead {
  /** Must be read to its end or destroyed, because it holds a file or a connection. */
  readonly body: Readable;
  /** How many bytes `body` yields; `sizeBytes` is the whole object's size. */
  readonly bodyBytes: number;
}

export interface PutOptions {
  /** `*`: only if nothing has this key. Of many writers at once exactly one wins; the others get `exists`. */
  readonly ifNoneMatch?: '*';
  /** For those who look into a bucket by other means; never read back. */
  readonly contentType?: string;
}

export interface ListOptions {
  /** Only keys after this one, in the order of their bytes. */
  readonly after?: string;
  /** At most this many, 1 to 1,000; 1,000 by default. */
  readonly limit?: number;
}

export interface ObjectPage {
  readonly objects: readonly ObjectHead[];
  readonly hasMore: boolean;
}

export interface PresignOptions {
  /** At most seven days. */
  readonly expiresInSeconds: number;
  /** Name under which a browser saves what it gets. */
  readonly fileName?: string;
  /** Content type of the answer to a get. */
  readonly contentType?: string;
}

/**
 * Bytes under opaque keys; what they mean is in the log. Every method throws {@link ObjectStoreError}: `invalid-key` for
 * a key that is not of the form of {@link assertObjectKey}, `not-found`, `exists` or `invalid-range` as named.
 */
export interface ObjectStore {
  /**
   * Stores a body whole or not at all, durably, in flat memory. A body that fails leaves nothing behind.
   * @throws `exists` when `ifNoneMatch` is given and the key is taken
   */
  put(key: string, body: Readable | Buffer, options?: PutOptions): Promise<StoredObject>;
  /** @throws `not-found`; `invalid-range` when a range is given and its offset is not inside the object */
  get(key: string, range?: ByteRange): Promise<ObjectBody>;
  /** @throws `not-found` */
  head(key: string): Promise<ObjectHead>;
  /** Keys that begin with `prefix`, in the order of their bytes. */
  list(prefix: string, options?: ListOptions): Promise<ObjectPage>;
  /** Deleting what is not there succeeds. */
  delete(key: string): Promise<void>;
  /** @throws `not-found` */
  copy(keys: { from: string; to: string }): Promise<ObjectHead>;
  /**
   * A URL that lets its bearer read one object. Absolute for S3; for a folder an absolute path on the platform's own
   * address, so a caller resolves it against the origin that its client used: `new URL(url, origin)`.
   */
  presignGet(key: string, options: PresignOptions): Promise<string>;
  /** Likewise to write one object with PUT; the answer's `ETag` is the MD5 of what was stored. */
  presignPut(key: string, options: PresignOptions): Promise<string>;
}

export type ObjectStoreErrorCode = 'not-found' | 'exists' | 'invalid-key' | 'invalid-range';

export class ObjectStoreError extends Error {
  constructor(
    readonly code: ObjectStoreErrorCode,
    readonly key: string,
    message: string,
  ) {
    super(message);
    this.name = 'ObjectStoreError';
  }
}

export const LIST_LIMIT_MAX = 1000;

export function objectNotFound(key: string): ObjectStoreError {
  return new ObjectStoreError('not-found', key, `no object has the key ${key}`);
}

export function objectExists(key: string): ObjectStoreError {
  return new ObjectStoreError('exists', key, `an object has the key ${key} already`);
}

/**
 * First byte and count of a range in an object of `sizeBytes`.
 * @throws `invalid-range` when the offset is not inside the object or a number is not a whole one
 */
export function resolveRange(key: string, sizeBytes: number, range: ByteRange): { offset: number; length: number } {
  const { offset, length = sizeBytes - offset } = range;
  const isWhole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (!isWhole || offset < 0 || length < 1 || offset >= sizeBytes) {
    throw new ObjectStoreError('invalid-range', key, `bytes ${offset}+${length} are not in an object of ${sizeBytes}`);
  }
  return { offset, length: Math.min(length, sizeBytes - offset) };
}
