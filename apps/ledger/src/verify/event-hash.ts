import { createHash } from 'node:crypto';
import { canonicalJson } from '@mledger/event-log';
import type { TimelineRow } from '../timeline/timeline.read-model';

/** What comes before the first event of a stream, and before seq 1. */
export const GENESIS: Buffer = Buffer.alloc(32);

/**
 * The hash that links an event to the one before it in its stream: of the RFC 8785 text of everything but its place in the
 * log. It is computed from the copy, and not with the log's own code, so that it proves the log rather than itself.
 */
export function streamHash(previous: Buffer, row: Omit<TimelineRow, 'id' | 'service' | 'seq'>): Buffer {
  const { stream, version, type, schema, time, tenant, actor, cause, correlation, data } = row;
  const text = canonicalJson({
    data,
    meta: { actor, cause, correlation, tenant },
    schema,
    stream,
    time,
    type,
    version,
  });
  return createHash('sha256').update(previous).update(text).digest();
}

/** The hash that links an event to the one before it in its service's public order. */
export function chainHash(previous: Buffer, hash: Buffer): Buffer {
  return createHash('sha256').update(previous).update(hash).digest();
}
