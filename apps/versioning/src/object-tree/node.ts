import { hash } from 'node:crypto';

/**
 * A node of an object tree, in a fixed format (integers big-endian):
 *
 *     u8 version = 1 · u8 level · u32 n · n × u32 boundary hash · n × u32 end of record · records
 *
 * A record is `u16 key length · key · value`. In a leaf (level 0) the value is the entry's; above, it is the id of a child
 * (32 bytes) and the number of entries below it (u48), under the child's last key. A record's end counts from the first
 * record. The id of a node is the SHA-256 of its bytes.
 */
export const NODE_FORMAT_VERSION = 1;
export const KEY_BYTES_MAX = 1024;
/** Eight boundary hashes of four bytes are in one SHA-256; a tree of eight levels holds more entries than any store. */
export const LEVELS_MAX = 8;
const HEADER_BYTES = 6;
const ID_BYTES = 32;
const COUNT_BYTES = 6;
/** Boundary hash, end of record, length of key. */
const RECORD_OVERHEAD_BYTES = 10;

/** A record that is new at its level. */
export interface NodeRecord {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Bytes `4·level` to `4·level + 3` of the SHA-256 of the key; decides whether a node ends here. */
  readonly boundary: number;
}

/** Neighbouring records of a node that is there already, from `start` up to `end`: most of any node that is written. */
export interface NodeRun {
  readonly node: TreeNode;
  readonly start: number;
  readonly end: number;
}

/** What a node is made of, in order. */
export type NodePiece = NodeRecord | NodeRun;

export interface ChildRef {
  /** 64 hex digits. */
  readonly id: string;
  /** Entries below it. */
  readonly count: number;
}

/** Different bytes for each level, or a key that ends a leaf would be likelier than others to end the node above it. */
export function boundaryHash(key: Buffer, level: number): number {
  return hash('sha256', key, 'buffer').readUInt32BE(level * 4);
}

/** What a record adds to a node. */
export function recordBytes({ key, value }: NodeRecord): number {
  return RECORD_OVERHEAD_BYTES + key.length + value.length;
}

/** @param size of the node as {@link recordBytes} and {@link TreeNode.recordBytes} add up to, and its records */
export function encodeNode(
  level: number,
  pieces: readonly NodePiece[],
  size: { readonly bytes: number; readonly length: number },
): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + size.bytes);
  bytes.writeUInt8(NODE_FORMAT_VERSION, 0);
  bytes.writeUInt8(level, 1);
  bytes.writeUInt32BE(size.length, 2);
  const boundariesAt = HEADER_BYTES;
  const endsAt = boundariesAt + 4 * size.length;
  const recordsAt = endsAt + 4 * size.length;
  let index = 0;
  let at = recordsAt;
  for (const piece of pieces) {
    if ('node' in piece) {
      const copied = piece.node.copyRun(piece, bytes, { boundariesAt, endsAt, recordsAt, index, at });
      index += piece.end - piece.start;
      at += copied;
      continue;
    }
    const { key, value, boundary } = piece;
    at = bytes.writeUInt16BE(key.length, at);
    at += key.copy(bytes, at);
    at += value.copy(bytes, at);
    bytes.writeUInt32BE(boundary, boundariesAt + 4 * index);
    bytes.writeUInt32BE(at - recordsAt, endsAt + 4 * index);
    index += 1;
  }
  return bytes;
}

export function encodeChild({ id, count }: ChildRef): Buffer {
  const value = Buffer.allocUnsafe(ID_BYTES + COUNT_BYTES);
  value.write(id, 0, 'hex');
  value.writeUIntBE(count, ID_BYTES, COUNT_BYTES);
  return value;
}

/** A node's bytes, read in place: nothing is unpacked until it is asked for. */
export class TreeNode {
  readonly level: number;
  /** Records, not entries below. */
  readonly length: number;
  private readonly recordsStart: number;

  /** @throws when the bytes are not of this format: the object is damaged or from a newer version */
  constructor(
    readonly id: string,
    readonly bytes: Buffer,
  ) {
    if (bytes.length < HEADER_BYTES || bytes.readUInt8(0) !== NODE_FORMAT_VERSION) {
      throw new Error(`tree node ${id} is not of format ${NODE_FORMAT_VERSION}`);
    }
    this.level = bytes.readUInt8(1);
    this.length = bytes.readUInt32BE(2);
    this.recordsStart = HEADER_BYTES + 8 * this.length;
    const end = this.recordsStart + (this.length === 0 ? 0 : this.endOf(this.length - 1));
    if (this.level >= LEVELS_MAX || end !== bytes.length) throw new Error(`tree node ${id} is damaged`);
  }

  /** A node of bytes just made, under the id that they have. */
  static of(bytes: Buffer): TreeNode {
    return new TreeNode(hash('sha256', bytes, 'hex'), bytes);
  }

  key(index: number): Buffer {
    const start = this.startOf(index);
    return this.bytes.subarray(start + 2, start + 2 + this.bytes.readUInt16BE(start));
  }

  value(index: number): Buffer {
    const start = this.startOf(index);
    return this.bytes.subarray(start + 2 + this.bytes.readUInt16BE(start), this.recordsStart + this.endOf(index));
  }

  boundary(index: number): number {
    return this.bytes.readUInt32BE(HEADER_BYTES + 4 * index);
  }

  /** What the record takes of the node, as {@link recordBytes} counts a new one. */
  recordBytes(index: number): number {
    return this.endOf(index) - (index === 0 ? 0 : this.endOf(index - 1)) + RECORD_OVERHEAD_BYTES - 2;
  }

  /** Copies a run of records into a node being made. @returns the bytes of the records themselves */
  copyRun(
    { start, end }: NodeRun,
    target: Buffer,
    to: { boundariesAt: number; endsAt: number; recordsAt: number; index: number; at: number },
  ): number {
    const from = this.startOf(start);
    const copied = this.bytes.copy(target, to.at, from, this.recordsStart + this.endOf(end - 1));
    const boundariesFrom = HEADER_BYTES + 4 * start;
    this.bytes.copy(target, to.boundariesAt + 4 * to.index, boundariesFrom, HEADER_BYTES + 4 * end);
    const shift = to.at - to.recordsAt - (from - this.recordsStart);
    for (let index = start; index < end; index += 1) {
      target.writeUInt32BE(this.endOf(index) + shift, to.endsAt + 4 * (to.index + index - start));
    }
    return copied;
  }

  child(index: number): ChildRef {
    const value = this.value(index);
    return { id: value.toString('hex', 0, ID_BYTES), count: value.readUIntBE(ID_BYTES, COUNT_BYTES) };
  }

  /** Entries in this node and below. */
  get count(): number {
    if (this.level === 0) return this.length;
    let sum = 0;
    for (let index = 0; index < this.length; index += 1) {
      sum += this.value(index).readUIntBE(ID_BYTES, COUNT_BYTES);
    }
    return sum;
  }

  /** Index of the first record whose key is not below `key`; `length` when there is none. */
  search(key: Buffer): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareKey(middle, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  compareKey(index: number, key: Buffer): number {
    const start = this.startOf(index);
    return this.bytes.compare(key, 0, key.length, start + 2, start + 2 + this.bytes.readUInt16BE(start));
  }

  private startOf(index: number): number {
    return this.recordsStart + (index === 0 ? 0 : this.endOf(index - 1));
  }

  private endOf(index: number): number {
    return this.bytes.readUInt32BE(HEADER_BYTES + 4 * (this.length + index));
  }
}
