import { createHash } from 'node:crypto';
import { isoTime } from '../recorded';
import type { HashedRow } from './verify.sql';

/** What comes before the first event of a stream, and before seq 1. */
export const GENESIS = Buffer.alloc(32);

/**
 * The text that an event's hash covers: RFC 8785, everything but seq, position, xid and traceparent. append_events in schema.sql.ts
 * writes the same text in Postgres; it is written out twice so that verify trusts nothing in the database.
 */
export function hashedText([stream, version, type, schema, data, meta, at]: HashedRow): string {
  return (
    `{"data":${data},"meta":${meta},"schema":${schema},"stream":${JSON.stringify(stream)},` +
    `"time":"${isoTime(at)}","type":${JSON.stringify(type)},"version":${version}}`
  );
}

/** Links an event to the one before it in its stream. */
export function eventHash(previousOfStream: Buffer, row: HashedRow): Buffer {
  return createHash('sha256').update(previousOfStream).update(hashedText(row)).digest();
}

/** Links an event to the one before it in the public order. */
export function chainHash(previousChain: Buffer, hash: Buffer): Buffer {
  return createHash('sha256').update(previousChain).update(hash).digest();
}
