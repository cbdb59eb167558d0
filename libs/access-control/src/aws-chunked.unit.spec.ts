import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { AwsChunkedDecoder, type AwsChunkedOptions } from './aws-chunked';
import { newChecksum } from './checksums';
import { chunkSignature, sigV4SigningKey } from './sigv4';

/** The worked examples of the S3 API reference on chunked uploads, without and with a trailer. */
const SCOPE = { day: '20130524', region: 'us-east-1' };
const seedOf = (signature: string): NonNullable<AwsChunkedOptions['seed']> => ({
  signature,
  signingKey: sigV4SigningKey('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', SCOPE),
  timestamp: '20130524T000000Z',
  scope: '20130524/us-east-1/s3/aws4_request',
});
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const CONTENT = Buffer.alloc(66_560, 'a');
const PLAIN = {
  options: {
    seed: seedOf('4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9'),
    trailer: false,
    decodedLength: CONTENT.length,
  },
  signatures: [
    'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
    '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  ],
};
const TRAILED = {
  options: {
    seed: seedOf('106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e'),
    trailer: true,
    trailerName: 'x-amz-checksum-crc32c',
    decodedLength: CONTENT.length,
  },
  signatures: [
    'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
    '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
    '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
  ],
  trailer:
    'x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n',
};

function framed(content: Buffer, signatures: readonly string[], end: string): Buffer {
  const [first, second, last] = signatures;
  return Buffer.concat([
    Buffer.from(`10000;chunk-signature=${first}\r\n`),
    content.subarray(0, 65_536),
    Buffer.from(`\r\n400;chunk-signature=${second}\r\n`),
    content.subarray(65_536),
    Buffer.from(`\r\n0;chunk-signature=${last}\r\n${end}\r\n`),
  ]);
}

/** Unsigned, with a trailing checksum: what boto3 and aws-cli send over TLS. */
function unsigned(content: Buffer, trailer: string, chunkBytes = 1000): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; at += chunkBytes) {
    const chunk = content.subarray(at, at + chunkBytes);
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from(`0\r\n${trailer === '' ? '' : `${trailer}\r\n`}\r\n`)]);
}

function decode(bytes: Buffer, options: AwsChunkedOptions, pieceBytes = bytes.length): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  const decoder = new AwsChunkedDecoder(options);
  Readable.from(pieces).pipe(decoder);
  return buffer(decoder);
}

describe('the aws-chunked decoder', () => {
  it.each([7, 1024, 70_000])('verifies signed chunks that come in pieces of %d bytes', async (pieceBytes) => {
    expect(await decode(framed(CONTENT, PLAIN.signatures, ''), PLAIN.options, pieceBytes)).toEqual(CONTENT);
    const trailed = framed(CONTENT, TRAILED.signatures, TRAILED.trailer);
    expect(await decode(trailed, TRAILED.options, pieceBytes)).toEqual(CONTENT);
  });

  it.each(['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const)('verifies a trailing %s', async (name) => {
    const checksum = newChecksum(name);
    checksum.update(CONTENT);
    const options = { trailer: true, trailerName: `x-amz-checksum-${name}`, decodedLength: CONTENT.length };
    const body = unsigned(CONTENT, `x-amz-checksum-${name}:${checksum.digest()}`);
    expect(await decode(body, options)).toEqual(CONTENT);
    const wrong = unsigned(CONTENT, `x-amz-checksum-${name}:AAAA`);
    await expect(decode(wrong, options)).rejects.toMatchObject({ s3Code: 'BadDigest' });
    await expect(decode(unsigned(CONTENT, 'x-other:1'), options)).rejects.toThrow(/missing/);
  });

  it('takes an empty body', async () => {
    const seed = PLAIN.options.seed;
    const last = chunkSignature(seed, seed.signature, EMPTY_SHA256);
    const body = Buffer.from(`0;chunk-signature=${last}\r\n\r\n`);
    expect(await decode(body, { ...PLAIN.options, decodedLength: 0 })).toEqual(Buffer.alloc(0));
  });

  it.each([
    ['a changed byte', (body: Buffer) => body.with(100, 0x62), 'SignatureDoesNotMatch'],
    ['a body cut short in a chunk', (body: Buffer) => body.subarray(0, 66_000), 'IncompleteBody'],
    ['a body without its last chunk', (body: Buffer) => body.subarray(0, body.lastIndexOf('\r\n0;')), 'IncompleteBody'],
    ['a body cut in its last line', (body: Buffer) => body.subarray(0, -1), 'IncompleteBody'],
    ['bytes after the end', (body: Buffer) => Buffer.concat([body, Buffer.from('x')]), 'InvalidRequest'],
    ['no frame at all', () => CONTENT, 'InvalidRequest'],
    ['chunks in another order', () => framed(CONTENT, [...PLAIN.signatures].reverse(), ''), 'SignatureDoesNotMatch'],
    ['unsigned chunks', () => unsigned(CONTENT, ''), 'InvalidRequest'],
  ])('refuses %s', async (_name, spoil, s3Code) => {
    const body = spoil(framed(CONTENT, PLAIN.signatures, ''));
    await expect(decode(Buffer.from(body), PLAIN.options, 5_000)).rejects.toMatchObject({ s3Code });
  });

  it('refuses a changed trailer, though its checksum is right', async () => {
    const trailer = TRAILED.trailer.replace('signature:d8', 'signature:d9');
    await expect(decode(framed(CONTENT, TRAILED.signatures, trailer), TRAILED.options)).rejects.toMatchObject({
      s3Code: 'SignatureDoesNotMatch',
    });
  });

  it.each([
    ['longer', CONTENT.length - 1],
    ['shorter', CONTENT.length + 1],
  ])('refuses a body that is %s than promised', async (_name, decodedLength) => {
    const body = framed(CONTENT, PLAIN.signatures, '');
    await expect(decode(body, { ...PLAIN.options, decodedLength })).rejects.toThrow();
  });

  it('refuses a trailer that is no checksum', () => {
    expect(() => new AwsChunkedDecoder({ trailer: true, trailerName: 'x-evil', decodedLength: 1 })).toThrow(/x-evil/);
  });

  it('gives back any content, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 5000 }),
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 700 }),
        async (bytes, chunkBytes, pieceBytes) => {
          const content = Buffer.from(bytes);
          const options = { trailer: true, decodedLength: content.length };
          expect(await decode(unsigned(content, '', chunkBytes), options, pieceBytes)).toEqual(content);
        },
      ),
    );
  });
});
