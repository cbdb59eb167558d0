import type { Readable } from 'node:stream';
import { Body, Controller, Get, Inject, Put, Req, Res } from '@nestjs/common';
import { MasterKey } from '@mledger/access-control';
import { attachment, ObjectStoreError, verifyPresigned, type ObjectStore } from '@mledger/object-store';
import { ApiError, Clock, OBJECT_STORE, type FastifyReply, type FastifyRequest } from '@mledger/service-kit';
import { requestedRange } from '../objects/byte-range';
import { UNTRUSTED_BYTES_HEADERS } from '../objects/object-headers';

/** Serves the URLs that the object store of a folder signs. The signature is all the caller needs, and bounds what they can do. */
@Controller('api/mledger/v1/presigned')
export class PresignedController {
  private readonly secret: Buffer;

  constructor(
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    private readonly clock: Clock,
    masterKey: MasterKey,
  ) {
    this.secret = masterKey.keyFor('presign');
  }

  @Get('*')
  async get(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const grant = this.grantOf(request);
    const { sizeBytes, modifiedAt } = await this.store.head(grant.key).catch(mapMissing);
    const range = requestedRange(request.headers.range, sizeBytes);
    if (range.kind === 'unsatisfiable') {
      const headers = { 'content-range': `bytes */${sizeBytes}` };
      throw new ApiError({ status: 416, code: 'INVALID_RANGE', message: 'requested range not satisfiable', headers });
    }
    void reply.headers({
      ...UNTRUSTED_BYTES_HEADERS,
      'content-type': grant.contentType ?? 'application/octet-stream',
      'content-disposition': attachment(grant.fileName ?? 'object'),
      'accept-ranges': 'bytes',
      'last-modified': new Date(modifiedAt).toUTCString(),
    });
    if (range.kind === 'part') {
      const last = range.offset + range.length - 1;
      void reply.status(206).header('content-range', `bytes ${range.offset}-${last}/${sizeBytes}`);
    }
    const part = range.kind === 'part' ? range : undefined;
    void reply.header('content-length', part?.length ?? sizeBytes);
    if (request.method === 'HEAD') await reply.send();
    else await reply.send((await this.store.get(grant.key, part).catch(mapMissing)).body);
  }

  /** Once for each address: what was put there may be in a commit by now, and a commit never changes. */
  @Put('*')
  async put(
    @Req() request: FastifyRequest,
    @Body() body: Readable | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { key } = this.grantOf(request);
    const { md5 } = await this.store.put(key, body ?? Buffer.alloc(0), { ifNoneMatch: '*' }).catch(mapTaken);
    void reply.header('etag', `"${md5}"`);
  }

  private grantOf(request: FastifyRequest) {
    const { method } = request;
    const grant = verifyPresigned(this.secret, { method, target: request.edge.target }, this.clock.nowMs());
    if (!grant) throw ApiError.forbidden('the signature of this URL does not hold, or its time is over');
    return grant;
  }
}

function mapTaken(error: unknown): never {
  const isTaken = error instanceof ObjectStoreError && error.code === 'exists';
  throw isTaken ? ApiError.exists('bytes were put there already: ask for a new physical address') : error;
}

function mapMissing(error: unknown): never {
  const isMissing = error instanceof ObjectStoreError && error.code === 'not-found';
  throw isMissing ? ApiError.notFound('there is no object at this URL') : error;
}
