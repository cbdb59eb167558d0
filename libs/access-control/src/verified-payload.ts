import { createHash } from 'node:crypto';
import { pipeline, Transform, type Readable, type TransformCallback } from 'node:stream';
import { badRequest } from './access-refused';
import { header, type AwsSignature, type WireRequest } from './aws-request';
import { AwsChunkedDecoder, badDigest, incomplete } from './aws-chunked';
import { CHECKSUM_NAMES, newChecksum } from './checksums';

interface Check {
  readonly name: string;
  readonly code: 'BadDigest' | 'XAmzContentSHA256Mismatch';
  readonly expected: string;
  update(bytes: Buffer): void;
  digest(): string;
}

/**
 * The bytes that a client of S3 meant to send: without the aws-chunked frame, verified against everything the request
 * says of them (length, SHA-256, chunk signatures, Content-MD5, `x-amz-checksum-…`). Bytes flow before the last of them is verified: on
 * an error throw away what was read.
 *
 * @returns the stream and its length, undefined when the request does not say it
 */
export function verifiedPayload(
  request: WireRequest,
  aws: AwsSignature,
  body: Readable,
): { stream: Readable; sizeBytes: number | undefined } {
  const { payload } = aws;
  if (payload.kind !== 'chunked') {
    const sizeBytes = lengthOf(header(request, 'content-length'), 'content-length');
    return { stream: chain(body, checkingStream(checksOf(request, aws), sizeBytes)), sizeBytes };
  }
  const decodedLength = lengthOf(header(request, 'x-amz-decoded-content-length'), 'x-amz-decoded-content-length');
  if (decodedLength === undefined)
    throw badRequest('MISSING_LENGTH', 'x-amz-decoded-content-length is missing', 'MissingContentLength');
  const decoder = new AwsChunkedDecoder({
    seed: payload.signed ? aws.seed : undefined,
    trailer: payload.trailer,
    decodedLength,
    trailerName: header(request, 'x-amz-trailer')?.trim().toLowerCase(),
  });
  const decoded = chain(body, decoder);
  return { stream: chain(decoded, checkingStream(checksOf(request, aws), undefined)), sizeBytes: decodedLength };
}

function chain(from: Readable, to: Transform): Readable {
  // pipeline carries a failure on both ways: the reader sees it, and the socket stops being read.
  return pipeline(from, to, () => undefined);
}

function lengthOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest('INVALID_LENGTH', `${name} is not a length`, 'InvalidArgument');
  return Number(text);
}

function checksOf(request: WireRequest, aws: AwsSignature): Check[] {
  const checks: Check[] = [];
  if (aws.payload.kind === 'sha256') {
    const hash = createHash('sha256');
    checks.push({
      name: 'x-amz-content-sha256',
      code: 'XAmzContentSHA256Mismatch',
      expected: aws.payload.hex,
      update: (bytes) => void hash.update(bytes),
      digest: () => hash.digest('hex'),
    });
  }
  const md5 = header(request, 'content-md5');
  if (md5 !== undefined) {
    const hash = createHash('md5');
    const update = (bytes: Buffer) => void hash.update(bytes);
    checks.push({ name: 'Content-MD5', code: 'BadDigest', expected: md5, update, digest: () => hash.digest('base64') });
  }
  for (const name of CHECKSUM_NAMES) {
    const expected = header(request, `x-amz-checksum-${name}`);
    if (expected !== undefined)
      checks.push({ name: `x-amz-checksum-${name}`, code: 'BadDigest', expected, ...newChecksum(name) });
  }
  return checks;
}

function checkingStream(checks: Check[], sizeBytes: number | undefined): Transform {
  let received = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback) {
      received += chunk.length;
      for (const check of checks) check.update(chunk);
      callback(null, chunk);
    },
    flush(callback: TransformCallback) {
      if (sizeBytes !== undefined && received !== sizeBytes) return callback(incomplete());
      const failed = checks.find((check) => check.digest() !== check.expected);
      if (!failed) return callback();
      callback(
        failed.code === 'BadDigest'
          ? badDigest(failed.name)
          : badRequest(
              'CONTENT_SHA256_MISMATCH',
              "The provided 'x-amz-content-sha256' header does not match what was computed.",
              'XAmzContentSHA256Mismatch',
            ),
      );
    },
  });
}
