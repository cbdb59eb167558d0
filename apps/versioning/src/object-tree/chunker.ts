import { recordBytes, type NodePiece, type NodeRecord, type TreeNode } from './node';

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

/** What a finished node is to be made of. */
export interface Chunk {
  readonly pieces: readonly NodePiece[];
  readonly bytes: number;
  /** Records. */
  readonly length: number;
}

/** Collects records until one ends a node. */
export class Chunker {
  private pieces: NodePiece[] = [];
  private bytes = 0;
  private length = 0;

  constructor(private readonly emit: (chunk: Chunk) => void) {}

  get isEmpty(): boolean {
    return this.length === 0;
  }

  add(record: NodeRecord): void {
    const bytes = recordBytes(record);
    this.pieces.push(record);
    this.bytes += bytes;
    this.length += 1;
    if (endsNode(record.boundary, this.bytes, bytes)) this.finish();
  }

  /** Takes records of an old node, from `start` up to `end`. */
  addRun(node: TreeNode, start: number, end: number): void {
    let runStart = start;
    for (let index = start; index < end; index += 1) {
      const bytes = node.recordBytes(index);
      const isEnd = endsNode(node.boundary(index), this.bytes + bytes, bytes);
      if (isEnd || index === end - 1) {
        this.pieces.push({ node, start: runStart, end: index + 1 });
        runStart = index + 1;
      }
      this.bytes += bytes;
      this.length += 1;
      if (isEnd) this.finish();
    }
  }

  /** Emits what was collected since the last end, if anything. */
  finish(): void {
    if (this.isEmpty) return;
    const chunk = { pieces: this.pieces, bytes: this.bytes, length: this.length };
    this.pieces = [];
    this.bytes = 0;
    this.length = 0;
    this.emit(chunk);
  }
}
