import { hash } from 'node:crypto';
import { assertStorableText } from './canonical-json';
import { CommandRefused } from './decider';

/** Leaves room for the version in one entry of a Postgres B-tree (2,704 bytes). */
export const STREAM_BYTES_MAX = 2_048;

const TENANT = /^[a-z0-9][a-z0-9-]{1,38}$/;
const KIND = /^[a-z][a-z0-9-]{0,62}$/;
const NAMESPACE_BYTES = 16;
const SCRATCH = Buffer.allocUnsafe(4_096);
/** RFC 4122's namespace for URLs and URNs. */
const URL_NAMESPACE = '6ba7b811-9dad-11d1-80b4-00c04fd430c8';
const EVENT_NAMESPACE = namespaceBytes(uuidV5(namespaceBytes(URL_NAMESPACE), 'urn:mledger:event'));
const COMMAND_NAMESPACE = namespaceBytes(uuidV5(namespaceBytes(URL_NAMESPACE), 'urn:mledger:command'));
const REACTION_NAMESPACE = namespaceBytes(uuidV5(namespaceBytes(URL_NAMESPACE), 'urn:mledger:reaction'));

/**
 * A stream's id, `<tenant>/<kind>:<key>`.
 *
 * @throws CommandRefused `invalid` when a part is empty, ill-formed or too long.
 */
export function stream(tenant: string, kind: string, key: string): string {
  if (!TENANT.test(tenant)) throw invalidStream(`${JSON.stringify(tenant)} is not a tenant id`);
  if (!KIND.test(kind)) throw invalidStream(`${JSON.stringify(kind)} is not a kind of stream`);
  if (key === '') throw invalidStream(`a stream of kind ${kind} needs a key`);
  assertStorableText(key);
  const id = `${tenant}/${kind}:${key}`;
  if (Buffer.byteLength(id) > STREAM_BYTES_MAX) {
    throw invalidStream(`the key of a stream of kind ${kind} is longer than ${STREAM_BYTES_MAX} bytes allow`);
  }
  return id;
}

/** The event's id, UUIDv5 of (service, stream, version): the same wherever and whenever it is computed. */
export function eventId(service: string, streamId: string, version: number): string {
  return uuidV5(EVENT_NAMESPACE, `${service}\n${version}\n${streamId}`);
}

/** The id of a command that a client marked with an Idempotency-Key. */
export function commandIdFor(request: { tenant: string; actor: string; route: string; key: string }): string {
  return uuidV5(COMMAND_NAMESPACE, JSON.stringify([request.tenant, request.actor, request.route, request.key]));
}

/** The id of the command that a reaction issues for an event, so that a redelivered event changes nothing. */
export function reactionCommandId(ofEvent: string, reaction: string): string {
  return uuidV5(REACTION_NAMESPACE, `${ofEvent}\n${reaction}`);
}

/** `<schema>:<purpose>:<id>` as the 64 bits of an advisory lock; locks are taken in ascending order. */
export function lockKey(schema: string, purpose: string, id: string): bigint {
  return hash('sha256', `${schema}:${purpose}:${id}`, 'buffer').readBigInt64BE(0);
}

/** RFC 9562. Called for every event that is read, hence no hash object and a buffer that is kept. */
function uuidV5(namespace: Buffer, name: string): string {
  // No character takes more than three bytes.
  const bytesMax = NAMESPACE_BYTES + name.length * 3;
  const bytes = bytesMax <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafe(bytesMax);
  bytes.set(namespace);
  const hex = hash('sha1', bytes.subarray(0, NAMESPACE_BYTES + bytes.write(name, NAMESPACE_BYTES)), 'hex');
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function namespaceBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

function invalidStream(message: string): CommandRefused {
  return new CommandRefused({ kind: 'invalid', code: 'INVALID_STREAM', message });
}
