import { createHash } from 'node:crypto';

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
