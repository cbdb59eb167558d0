import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';

export interface Digests {
  readonly sizeBytes: number;
  readonly md5: string;
  readonly sha256: string;
}

/** Counts and digests bytes as they pass. */
export class DigestMeter {
  private sizeBytes = 0;
  private readonly md5 = createHash('md5');
  private readonly sha256 = createHash('sha256');

  update(chunk: Buffer): void {
    this.sizeBytes += chunk.length;
    this.md5.update(chunk);
    this.sha256.update(chunk);
  }

  /** Ends the meter; may be called once. */
  digests(): Digests {
    return { sizeBytes: this.sizeBytes, md5: this.md5.digest('hex'), sha256: this.sha256.digest('hex') };
  }
}

/** A stream that hands its bytes on unchanged and tells the meter of each chunk. */
export class MeteredStream extends Transform {
  constructor(private readonly meter: DigestMeter) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.meter.update(chunk);
    done(null, chunk);
  }
}
