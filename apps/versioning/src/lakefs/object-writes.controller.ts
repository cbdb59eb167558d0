import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { CommandRefused } from '@mledger/event-log';
import { ApiError, Caller, parse } from '@mledger/service-kit';
import { textOfHeader } from '../objects/object-headers';
import { DELETED_PATHS_MAX, ObjectHandler, type ObjectFacts } from '../objects/object.handler';
import { assertPath } from '../repository/names';
import { branchNotFound } from '../repository/refusals';
import { Refs } from '../refs/refs';
import { statsAnswer } from './answers';
import { isOnlyIfAbsent, Located } from './context';
import { contentPart } from './form-upload';
import * as requests from './requests';

const METADATA_HEADER = 'x-lakefs-meta-';
/** Kept under keys of lakeFS' own, by which its tools find their posix permissions and the like again. */
const INTERNAL_HEADER = 'x-lakefs-internal-';
const INTERNAL_KEY = '::lakefs::';
const CONTENT_TYPE_DEFAULT = 'application/octet-stream';

/** Writes of objects, to branches. */
@Controller('api/v1/repositories/:repository/branches/:branch/objects')
export class ObjectWritesController {
  constructor(
    private readonly located: Located,
    private readonly refs: Refs,
    private readonly handler: ObjectHandler,
  ) {}

  /** Takes the body as it is, or the part `content` of a form. */
  @Post()
  async upload(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Query() query: unknown,
    @Body() body: Readable | undefined,
    @Headers() headers: IncomingHttpHeaders,
    @Caller() caller: Caller,
  ): Promise<object> {
    const { path, force } = parse(requests.uploadQuery, query, 'query');
    const terms = { force, ifAbsent: isOnlyIfAbsent(headers) };
    const key = await this.located.branch(caller, name, branch);
    const facts = { contentType: headers['content-type'] ?? CONTENT_TYPE_DEFAULT, metadata: metadataOf(headers) };
    const upload = await uploadOf(body, facts);
    return statsAnswer(key.repository, path, await this.handler.upload(key, path, upload, terms), {
      userMetadata: true,
    });
  }

  @Delete()
  @HttpCode(204)
  async delete(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
  ): Promise<void> {
    const { path, force } = parse(requests.objectQuery, query, 'query');
    await this.handler.delete(await this.located.branch(caller, name, branch), [path], { force });
  }

  @Post('delete')
  @HttpCode(200)
  async deleteMany(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Query() query: unknown,
    @Body() body: unknown,
    @Caller() caller: Caller,
  ): Promise<object> {
    const asked = parse(requests.deleteObjectsQuery, query, 'query');
    const { paths, force } = parse(requests.deleteObjects, body);
    if (paths.length > DELETED_PATHS_MAX) throw ApiError.invalid(`paths: at most ${DELETED_PATHS_MAX} at once`);
    const key = await this.located.branch(caller, name, branch);
    const { valid, errors } = sortOutPaths(paths);
    await this.handler.delete(key, valid, { force: force || asked.force });
    return { errors };
  }

  @Post('copy')
  async copy(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Query() query: unknown,
    @Body() body: unknown,
    @Headers() headers: IncomingHttpHeaders,
    @Caller() caller: Caller,
  ): Promise<object> {
    const { dest_path: to } = parse(requests.copyQuery, query, 'query');
    const { src_path: path, src_ref: ref = branch, force } = parse(requests.copyObject, body);
    const key = await this.located.branch(caller, name, branch);
    const terms = { force, ifAbsent: isOnlyIfAbsent(headers) };
    const entry = await this.handler.copy(key, { from: { repository: key.repository, ref, path }, to }, terms);
    return statsAnswer(key.repository, to, entry, { userMetadata: true });
  }

  @Put('stat/user_metadata')
  @HttpCode(204)
  async replaceMetadata(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Query() query: unknown,
    @Body() body: unknown,
    @Caller() caller: Caller,
  ): Promise<void> {
    const { path, force } = parse(requests.objectQuery, query, 'query');
    const { set } = parse(requests.userMetadata, body);
    await this.handler.replaceMetadata(await this.located.branch(caller, name, branch), path, set, { force });
  }

  /** Whether an upload would be let in. */
  @Get('stage_allowed')
  @HttpCode(204)
  async stageAllowed(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
  ): Promise<void> {
    const { path } = parse(requests.pathQuery, query, 'query');
    const key = await this.located.branch(caller, name, branch);
    if (!(await this.refs.findBranch(key.repository, branch))) throw branchNotFound();
    await this.handler.assertWritable(key, path, { force: false, ifAbsent: false });
  }
}

async function uploadOf(
  body: Readable | undefined,
  facts: ObjectFacts,
): Promise<ObjectFacts & { body: Readable | Buffer }> {
  if (!body) return { ...facts, body: Buffer.alloc(0) };
  if (!/^multipart\/form-data\b/i.test(facts.contentType)) return { ...facts, body };
  const part = await contentPart(body, facts.contentType);
  return { ...facts, body: part.body, contentType: part.contentType ?? CONTENT_TYPE_DEFAULT };
}

function metadataOf(headers: IncomingHttpHeaders): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const [header, value] of Object.entries(headers)) {
    const text = textOfHeader(String(value));
    if (header.startsWith(METADATA_HEADER)) metadata[header.slice(METADATA_HEADER.length)] = text;
    if (header.startsWith(INTERNAL_HEADER)) metadata[`${INTERNAL_KEY}${header.slice(INTERNAL_HEADER.length)}`] = text;
  }
  return metadata;
}

/** A path that cannot be is an error of its own; the others are deleted all the same. */
function sortOutPaths(paths: readonly string[]): { valid: string[]; errors: object[] } {
  const valid: string[] = [];
  const errors: object[] = [];
  for (const path of paths) {
    try {
      assertPath(path);
      valid.push(path);
    } catch (error) {
      if (!(error instanceof CommandRefused)) throw error;
      errors.push({ status_code: 400, message: error.message, path });
    }
  }
  return { valid, errors };
}
