import { createHash, timingSafeEqual, type Hash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { AccessRefused, badRequest } from './access-refused';
import type { AwsSignature } from './aws-request';
import { isChecksumName, newChecksum, type Checksum } from './checksums';
import { chunkSignature, signatureMismatch, trailerSignature } from './sigv4';

const HEADER_BYTES_MAX = 1024;
const TRAILER_BYTES_MAX = 16 * 1024;
const CRLF = Buffer.from('\r\n');

export interface AwsChunkedOptions {
  /** With a seed the chunks must be signed, and continue its chain. */
  readonly seed?: AwsSignature['seed'];
  /** Whether headers follow the last chunk. */
  readonly trailer: boolean;
  /** What `x-amz-decoded-content-length` promised. */
  readonly decodedLength: number;
  /** The one header that `x-amz-trailer` announced, `x-amz-checksum-…`. */
  readonly trailerName?: string;
}

type Phase = 'header' | 'data' | 'data-end' | 'trailer' | 'done';

/**
 * Takes the `aws-chunked` frame off a body and verifies chunk signatures, the trailing checksum, its signature, and
 * the length. Bytes flow on before their chunk is verified, so memory stays flat: whoever stores them must throw them
 * away when the stream fails.
 */
export class AwsChunkedDecoder extends Transform {
  private phase: Phase = 'header';
  private pending: Buffer = Buffer.alloc(0);
  private chunkRemaining = 0;
  private chunkHash: Hash = createHash('sha256');
  private chunkClaim = '';
  private lastChunk = false;
  private previous: string;
  private decoded = 0;
  private readonly checksum: Checksum | undefined;

  constructor(private readonly options: AwsChunkedOptions) {
    super();
    this.previous = options.seed?.signature ?? '';
    const checksumName = options.trailerName?.replace(/^x-amz-checksum-/, '');
    if (checksumName !== undefined && !isChecksumName(checksumName))
      throw badRequest(
        'INVALID_TRAILER',
        `x-amz-trailer names ${options.trailerName}, which is no checksum that we know`,
      );
    this.checksum = checksumName === undefined ? undefined : newChecksum(checksumName);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    try {
      this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
      while (this.step());
      callback();
    } catch (error) {
      callback(error as Error);
    }
  }

  override _flush(callback: TransformCallback): void {
    callback(this.phase === 'done' && this.pending.length === 0 ? null : incomplete());
  }

  /** Does what the bytes at hand allow; false when more are needed. */
  private step(): boolean {
    switch (this.phase) {
      case 'header':
        return this.readHeader();
      case 'data':
        return this.readData();
      case 'data-end':
        return this.readDataEnd();
      case 'trailer':
        return this.readTrailer();
      case 'done':
        if (this.pending.length > 0) throw malformed('bytes follow the end of the body');
        return false;
    }
  }

  private readHeader(): boolean {
    const line = this.takeThrough(CRLF, HEADER_BYTES_MAX);
    if (line === undefined) return false;
    const match = /^([0-9a-fA-F]{1,10})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
    if (!match || (this.options.seed && !match[2])) throw malformed('a chunk has no valid header');
    this.chunkRemaining = Number.parseInt(match[1]!, 16);
    this.chunkClaim = match[2] ?? '';
    this.lastChunk = this.chunkRemaining === 0;
    if (this.decoded + this.chunkRemaining > this.options.decodedLength)
      throw malformed('the body is longer than x-amz-decoded-content-length');
    this.phase = 'data';
    return true;
  }

  private readData(): boolean {
    if (this.chunkRemaining === 0) return this.endChunk();
    if (this.pending.length === 0) return false;
    const bytes = this.pending.subarray(0, this.chunkRemaining);
    this.pending = this.pending.subarray(bytes.length);
    this.chunkRemaining -= bytes.length;
    this.decoded += bytes.length;
    if (this.options.seed) this.chunkHash.update(bytes);
    this.checksum?.update(bytes);
    this.push(bytes);
    return true;
  }

  private endChunk(): boolean {
    const { seed } = this.options;
    if (seed) {
      const expected = chunkSignature(seed, this.previous, this.chunkHash.digest('hex'));
      if (!sameHex(expected, this.chunkClaim)) throw signatureMismatch();
      this.previous = expected;
      this.chunkHash = createHash('sha256');
    }
    if (this.lastChunk && this.decoded !== this.options.decodedLength) throw incomplete();
    // After the last chunk's header come the trailers, or the empty line that stands for none.
    this.phase = this.lastChunk && this.options.trailer ? 'trailer' : 'data-end';
    return true;
  }

  private readDataEnd(): boolean {
    if (this.pending.length < CRLF.length) return false;
    if (!this.pending.subarray(0, CRLF.length).equals(CRLF)) throw malformed('a chunk does not end where it said');
    this.pending = this.pending.subarray(CRLF.length);
    this.phase = this.lastChunk ? 'done' : 'header';
    return true;
  }

  private readTrailer(): boolean {
    if (this.pending.subarray(0, CRLF.length).equals(CRLF)) {
      this.pending = this.pending.subarray(CRLF.length);
      this.verifyTrailers(new Map());
      this.phase = 'done';
      return true;
    }
    const text = this.takeThrough(Buffer.from('\r\n\r\n'), TRAILER_BYTES_MAX);
    if (text === undefined) return false;
    const trailers = text.split('\r\n').map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()] as const;
    });
    this.verifyTrailers(new Map(trailers));
    this.phase = 'done';
    return true;
  }

  private verifyTrailers(trailers: Map<string, string>): void {
    const { seed, trailerName } = this.options;
    if (seed) {
      const signed = [...trailers].filter(([name]) => name !== 'x-amz-trailer-signature');
      const text = signed.map(([name, value]) => `${name}:${value}\n`).join('');
      const expected = trailerSignature(seed, this.previous, createHash('sha256').update(text).digest('hex'));
      if (!sameHex(expected, trailers.get('x-amz-trailer-signature') ?? '')) throw signatureMismatch();
    }
    if (trailerName === undefined || !this.checksum) return;
    const claimed = trailers.get(trailerName);
    if (claimed === undefined) throw malformed(`the trailer ${trailerName} is missing`);
    if (claimed !== this.checksum.digest()) throw badDigest(trailerName);
  }

  private takeThrough(end: Buffer, bytesMax: number): string | undefined {
    const at = this.pending.indexOf(end);
    if ((at < 0 ? this.pending.length : at) > bytesMax) throw malformed('a chunk header or trailer is too long');
    if (at < 0) return undefined;
    const text = this.pending.subarray(0, at).toString('latin1');
    this.pending = this.pending.subarray(at + end.length);
    return text;
  }
}

export const badDigest = (what: string): AccessRefused =>
  badRequest('BAD_DIGEST', `The ${what} you specified did not match what we received.`, 'BadDigest');

export const incomplete = (): AccessRefused =>
  badRequest(
    'INCOMPLETE_BODY',
    'You did not provide the number of bytes that your request promised.',
    'IncompleteBody',
  );

const malformed = (why: string): AccessRefused =>
  badRequest('INVALID_CHUNK', `The aws-chunked body is not well-formed: ${why}.`, 'InvalidRequest');

function sameHex(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
