import { Controller, Get, Head, Param, Query, Req, Res } from '@nestjs/common';
import { ApiError, Caller, parse, type FastifyReply, type FastifyRequest } from '@mledger/service-kit';
import type { Entry } from '../entry/entry';
import { requestedRange } from '../objects/byte-range';
import { objectHeaders } from '../objects/object-headers';
import { Objects } from '../objects/objects';
import { Refs } from '../refs/refs';
import type { Repository } from '../repository/repositories';
import { listedAnswer, pageAnswer, statsAnswer, type StatsOptions } from './answers';
import { Located, originOf } from './context';
import * as requests from './requests';

const PRESIGNED_SECONDS = 15 * 60;

/** Reads of objects, by any ref. */
@Controller('api/v1/repositories/:repository/refs/:ref/objects')
export class ObjectsController {
  constructor(
    private readonly located: Located,
    private readonly refs: Refs,
    private readonly objects: Objects,
  ) {}

  @Head()
  async head(
    @Param('repository') name: string,
    @Param('ref') ref: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { path } = parse(requests.objectQuery, query, 'query');
    const entry = await this.objects.get(await this.located.repository(caller, name), ref, path);
    const part = partOf(request, reply, path, entry);
    await reply.header('content-length', part?.length ?? entry.sizeBytes).send();
  }

  @Get()
  async get(
    @Param('repository') name: string,
    @Param('ref') ref: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { path, presign } = parse(requests.objectQuery, query, 'query');
    const repository = await this.located.repository(caller, name);
    const entry = await this.objects.get(repository, ref, path);
    if (presign) {
      const { presignedUrl = '' } = await this.presigned(repository, request, path, entry);
      await reply.redirect(presignedUrl, 302);
      return;
    }
    if (request.headers['if-none-match'] === `"${entry.checksum}"`) {
      await reply.status(304).headers(objectHeaders(path, entry)).send();
      return;
    }
    const part = partOf(request, reply, path, entry);
    const { body, bodyBytes } = await this.objects.open(repository, entry.objectId, part);
    await reply.header('content-length', bodyBytes).send(body);
  }

  @Get('stat')
  async stat(
    @Param('repository') name: string,
    @Param('ref') ref: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const { path, presign, user_metadata: userMetadata } = parse(requests.objectQuery, query, 'query');
    const repository = await this.located.repository(caller, name);
    const entry = await this.objects.get(repository, ref, path);
    const url = presign ? await this.presigned(repository, request, path, entry) : {};
    return statsAnswer(repository, path, entry, { userMetadata, ...url });
  }

  @Get('ls')
  async list(
    @Param('repository') name: string,
    @Param('ref') ref: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const { amount: limit, presign, user_metadata: userMetadata, ...terms } = parse(requests.listQuery, query, 'query');
    const repository = await this.located.repository(caller, name);
    const resolved = await this.refs.resolve(repository, ref);
    const { items, hasMore } = await this.objects.list(repository, resolved, { ...terms, limit });
    const urls = new Map<Entry, Partial<StatsOptions>>();
    for (const item of presign ? items : []) {
      if (item.type !== 'object') continue;
      urls.set(item.entry, await this.presigned(repository, request, item.path, item.entry));
    }
    const answers = items.map((item) =>
      listedAnswer(repository, item, (entry) => ({ userMetadata, ...urls.get(entry) })),
    );
    return pageAnswer(answers, { hasMore, lastKey: items.at(-1)?.path });
  }

  @Get('underlyingProperties')
  async underlyingProperties(
    @Param('repository') name: string,
    @Param('ref') ref: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
  ): Promise<object> {
    const { path } = parse(requests.objectQuery, query, 'query');
    await this.objects.get(await this.located.repository(caller, name), ref, path);
    return { storage_class: null };
  }

  private async presigned(repository: Repository, request: FastifyRequest, path: string, entry: Entry) {
    const url = await this.objects.presignGet(repository, entry.objectId, {
      expiresInSeconds: PRESIGNED_SECONDS,
      fileName: path.slice(path.lastIndexOf('/') + 1),
      contentType: entry.contentType,
    });
    const presignedUntil = Math.floor(Date.now() / 1000) + PRESIGNED_SECONDS;
    return { presignedUrl: new URL(url, originOf(request)).href, presignedUntil };
  }
}

/** Sets what the answer says of the object, and finds the part that is asked for; undefined for all of it. */
function partOf(request: FastifyRequest, reply: FastifyReply, path: string, entry: Entry) {
  const range = requestedRange(request.headers.range, entry.sizeBytes);
  if (range.kind === 'unsatisfiable' || range.kind === 'several' || range.kind === 'malformed') {
    // Python's reader takes the size from this header when it has read past the end.
    throw new ApiError({
      status: 416,
      code: 'INVALID_RANGE',
      message: 'requested range not satisfiable',
      headers: { 'content-range': `bytes */${entry.sizeBytes}` },
    });
  }
  void reply.headers(objectHeaders(path, entry));
  if (range.kind === 'whole') return undefined;
  const { offset, length } = range;
  void reply.status(206).header('content-range', `bytes ${offset}-${offset + length - 1}/${entry.sizeBytes}`);
  return { offset, length };
}
