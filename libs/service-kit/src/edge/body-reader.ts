import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  type BrotliDecompress,
  type Gunzip,
  type Inflate,
} from 'node:zlib';
import { ApiError } from '../errors/api-error';

/**
 * Reads a body to its end, decompressed, and not one byte further than the limit: a small body that inflates a thousand times is
 * given up when it reaches the limit, having cost no more than it.
 *
 * @throws ApiError 413 over the limit, 415 for an encoding that we do not know, 400 for bytes that are not in it
 */
export async function readBody(source: Readable, headers: IncomingHttpHeaders, bytesMax: number): Promise<Buffer> {
  if (Number(headers['content-length'] ?? 0) > bytesMax) throw overLimit(bytesMax);
  const decoder = decoderFor(headers['content-encoding']);
  const stream: Readable = decoder ? source.pipe(decoder) : source;
  // A failing socket would otherwise leave the decoder waiting for ever.
  if (decoder) source.once('error', (error) => decoder.destroy(error));
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Destroying the request would take its socket along, and with it the answer.
    for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > bytesMax) throw overLimit(bytesMax);
      chunks.push(chunk);
    }
  } catch (error) {
    if (decoder) {
      source.unpipe(decoder);
      decoder.destroy();
    }
    throw isZlibError(error) ? ApiError.invalid(`the body is not valid ${headers['content-encoding']}`) : error;
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
}

function decoderFor(encoding: string | undefined): Gunzip | Inflate | BrotliDecompress | undefined {
  switch (encoding?.trim().toLowerCase()) {
    case undefined:
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      throw ApiError.unsupportedMediaType(
        `content-encoding ${encoding} is not known: send identity, gzip, deflate or br`,
      );
  }
}

function isZlibError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return (
    code.startsWith('Z_') ||
    code.startsWith('ERR__ERROR') ||
    code.startsWith('ERR_BROTLI') ||
    code.startsWith('ERR_PADDING')
  );
}

function overLimit(bytesMax: number): ApiError {
  return ApiError.tooLarge(`the body is over the limit of ${bytesMax} bytes`, { bytesMax });
}
