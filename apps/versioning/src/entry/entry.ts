import { randomBytes } from 'node:crypto';

/** What a tree holds under a path: where the bytes are, and what a client is told of them. */
export interface Entry {
  /** Of the bytes in the object store, {@link newObjectId}. */
  readonly objectId: string;
  readonly modifiedAtSeconds: number;
  readonly sizeBytes: number;
  /** MD5 in hex where the bytes passed through us; what a client said where it put them itself. */
  readonly checksum: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const FORMAT_VERSION = 1;
const OBJECT_ID_LENGTH = 40;
const NUMBER_BYTES = 6;
/** Where an entry's identity begins: version, object id and time come before. */
const IDENTITY_START = 1 + OBJECT_ID_LENGTH + NUMBER_BYTES;
/** Of an encoded entry; keeps nodes of the tree within a few times their target. */
export const ENTRY_BYTES_MAX = 64 * 1024;

const ALPHABET = '0123456789abcdefghijklmnopqrstuv';
const XID_BYTES = 12;
const XID_LENGTH = 20;
const OBJECT_ID = /^[0-9a-v]{40}$/;

/** `u8 version · id · u48 seconds · u48 size · checksum · content type · n × (key · value)`; texts have a u16 length before. */
export function encodeEntry(entry: Entry): Buffer {
  const keys = Object.keys(entry.metadata).sort();
  const texts = [entry.checksum, entry.contentType, ...keys.flatMap((key) => [key, entry.metadata[key]!])];
  const size = texts.reduce((sum, text) => sum + 2 + Buffer.byteLength(text), IDENTITY_START + NUMBER_BYTES);
  if (size > ENTRY_BYTES_MAX) throw new RangeError(`the metadata of an object has at most ${ENTRY_BYTES_MAX} bytes`);
  const bytes = Buffer.allocUnsafe(size);
  let at = bytes.writeUInt8(FORMAT_VERSION, 0);
  at += bytes.write(entry.objectId, at, 'latin1');
  at = bytes.writeUIntBE(entry.modifiedAtSeconds, at, NUMBER_BYTES);
  at = bytes.writeUIntBE(entry.sizeBytes, at, NUMBER_BYTES);
  for (const text of texts) {
    const length = bytes.write(text, at + 2);
    bytes.writeUInt16BE(length, at);
    at += 2 + length;
  }
  return bytes;
}

export function decodeEntry(bytes: Buffer): Entry {
  if (bytes.readUInt8(0) !== FORMAT_VERSION) throw new Error(`an entry is not of format ${FORMAT_VERSION}`);
  let at = IDENTITY_START + NUMBER_BYTES;
  const nextText = () => {
    const end = at + 2 + bytes.readUInt16BE(at);
    const text = bytes.toString('utf8', at + 2, end);
    at = end;
    return text;
  };
  const checksum = nextText();
  const contentType = nextText();
  const pairs: [string, string][] = [];
  while (at < bytes.length) pairs.push([nextText(), nextText()]);
  return {
    objectId: bytes.toString('latin1', 1, 1 + OBJECT_ID_LENGTH),
    modifiedAtSeconds: bytes.readUIntBE(1 + OBJECT_ID_LENGTH, NUMBER_BYTES),
    sizeBytes: bytes.readUIntBE(IDENTITY_START, NUMBER_BYTES),
    checksum,
    contentType,
    // A null prototype, so that a key named __proto__ is a key.
    metadata: Object.assign(Object.create(null) as Record<string, string>, Object.fromEntries(pairs)),
  };
}

/** The lakeFS rule of what counts as a change: size, checksum, metadata and content type; neither time nor place. */
export function sameEntry(left: Buffer, right: Buffer): boolean {
  return left.compare(right, IDENTITY_START, right.length, IDENTITY_START, left.length) === 0;
}

/**
 * An id for new bytes: two times 20 characters, as lakeFS clients expect to see them in a physical address. The first
 * begins with the time counted backwards, so that the newest come first in a listing.
 */
export function newObjectId(nowMs: number): string {
  const newestFirst = randomBytes(XID_BYTES);
  newestFirst.writeUInt32BE(0xffffffff - (Math.floor(nowMs / 1000) >>> 0), 0);
  return xid(newestFirst) + xid(randomBytes(XID_BYTES));
}

/** `<namespace>/data/<20>/<20>`: a label that tells a client where "its" bytes lie. */
export function physicalAddress(storageNamespace: string, objectId: string): string {
  return `${storageNamespace}/data/${objectId.slice(0, XID_LENGTH)}/${objectId.slice(XID_LENGTH)}`;
}

/** The id in a physical address of this namespace; undefined for any other text. */
export function objectIdOf(storageNamespace: string, address: string): string | undefined {
  const prefix = `${storageNamespace}/data/`;
  if (!address.startsWith(prefix) || address.length !== prefix.length + OBJECT_ID_LENGTH + 1) return undefined;
  const [first = '', second = ''] = address.slice(prefix.length).split('/');
  const objectId = first + second;
  return first.length === XID_LENGTH && OBJECT_ID.test(objectId) ? objectId : undefined;
}

function xid(bytes: Buffer): string {
  let text = '';
  for (let bit = 0; bit < XID_BYTES * 8; bit += 5) {
    const value = ((bytes[bit >> 3]! << 8) | (bytes[(bit >> 3) + 1] ?? 0)) >> (11 - (bit & 7));
    text += ALPHABET[value & 31];
  }
  return text;
}
