import { recordBytes, type NodeRecord } from './node';

/** A little above the average; nine nodes of ten come out at 64 to 128 KiB. */
const SCALE_BYTES = 104 * 1024;
/** How sharply sizes gather about the scale. */
const SHAPE = 6;
/** A node that has grown to this ends, whatever its keys: it bounds what one read costs. */
export const NODE_BYTES_MAX = 256 * 1024;
const HASH_RANGE = 2 ** 32;

/**
 * Whether a node ends with a record, given the record's boundary hash and the node's size with it.
 *
 * The chance grows with the size, as the hazard of a Weibull distribution: shape / scale · (x / scale)^(shape - 1) a byte.
 * With the same chance for every key sizes would spread from nothing to many times the average; with the size alone, one
 * more record would move every later boundary. Here sizes are alike, and yet a decision hangs on the key: a change moves
 * a boundary only in the rare case that the chance at some key was met or missed by those few bytes.
 * Only multiplications and divisions, which every machine rounds alike: the same entries must give the same nodes anywhere.
 */
export function endsNode(boundary: number, sizeBytes: number, lastRecordBytes: number): boolean {
  if (sizeBytes >= NODE_BYTES_MAX) return true;
  const filled = sizeBytes / SCALE_BYTES;
  const squared = filled * filled;
  const chance = SHAPE * squared * squared * filled * (lastRecordBytes / SCALE_BYTES);
  return boundary < HASH_RANGE * chance;
}

/** Collects records until one ends a node. */
export class Chunker {
  private records: NodeRecord[] = [];
  private sizeBytes = 0;

  get isEmpty(): boolean {
    return this.records.length === 0;
  }

  /** Takes a record; gives the finished node's records when it ends one. */
  add(record: NodeRecord): NodeRecord[] | undefined {
    const bytes = recordBytes(record);
    this.records.push(record);
    this.sizeBytes += bytes;
    return endsNode(record.boundary, this.sizeBytes, bytes) ? this.finish() : undefined;
  }

  /** What was collected since the last end; empties the chunker. */
  finish(): NodeRecord[] {
    const { records } = this;
    this.records = [];
    this.sizeBytes = 0;
    return records;
  }
}
