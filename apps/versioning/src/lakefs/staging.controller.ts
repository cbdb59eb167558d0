import type { IncomingHttpHeaders } from 'node:http';
import { Body, Controller, Get, Headers, Param, Put, Query, Req } from '@nestjs/common';
import { MasterKey } from '@mledger/access-control';
import { ApiError, Caller, Clock, parse, type FastifyRequest } from '@mledger/service-kit';
import { newObjectId, objectIdOf } from '../entry/entry';
import { addressToken, ADDRESS_TOKEN_SECONDS, isAddressTokenValid } from '../objects/address-token';
import { ObjectHandler } from '../objects/object.handler';
import { addressOf, Objects } from '../objects/objects';
import type { BranchKey } from '../staging/staging';
import { statsAnswer } from './answers';
import { isOnlyIfAbsent, Located, originOf } from './context';
import * as requests from './requests';

/** Uploads past the API: the client asks for an address, puts the bytes there by itself, and then links them to a path. */
@Controller('api/v1/repositories/:repository/branches/:branch')
export class StagingController {
  private readonly secret: Buffer;

  constructor(
    private readonly located: Located,
    private readonly handler: ObjectHandler,
    private readonly objects: Objects,
    private readonly clock: Clock,
    masterKey: MasterKey,
  ) {
    this.secret = masterKey.keyFor('versioning-address');
  }

  @Get('staging/backing')
  async address(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const { path, presign } = parse(requests.objectQuery, query, 'query');
    const key = await this.located.branch(caller, name, branch);
    await this.handler.assertWritable(key, path, { force: false, ifAbsent: false });
    const objectId = newObjectId(this.clock.nowMs());
    const token = addressToken(this.secret, grantOf(key, path, objectId), this.clock.nowMs());
    const physical_address = `${addressOf(key.repository, { objectId })},${token}`;
    if (!presign) return { physical_address, presigned_url: null };
    const url = await this.objects.presignPut(key.repository, objectId, ADDRESS_TOKEN_SECONDS);
    return {
      physical_address,
      presigned_url: new URL(url, originOf(request)).href,
      presigned_url_expiry: Math.floor(this.clock.nowMs() / 1000) + ADDRESS_TOKEN_SECONDS,
    };
  }

  @Put('staging/backing')
  async link(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Query() query: unknown,
    @Body() body: unknown,
    @Headers() headers: IncomingHttpHeaders,
    @Caller() caller: Caller,
  ): Promise<object> {
    const { path } = parse(requests.pathQuery, query, 'query');
    const link = parse(requests.linkAddress, body);
    const key = await this.located.branch(caller, name, branch);
    const [address = '', token = ''] = splitAtLast(link.staging.physical_address ?? '', ',');
    const objectId = objectIdOf(key.repository.storageNamespace, address);
    const grant = objectId !== undefined && grantOf(key, path, objectId);
    if (!grant || !isAddressTokenValid(this.secret, grant, token, this.clock.nowMs())) {
      throw ApiError.invalid('bad or expired physical address token');
    }
    const terms = { force: link.force, ifAbsent: isOnlyIfAbsent(headers) };
    return this.stage(key, path, { ...link, metadata: link.user_metadata, objectId: grant.objectId }, terms);
  }

  @Put('objects')
  async stageObject(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Query() query: unknown,
    @Body() body: unknown,
    @Headers() headers: IncomingHttpHeaders,
    @Caller() caller: Caller,
  ): Promise<object> {
    const { path } = parse(requests.pathQuery, query, 'query');
    const staged = parse(requests.stageObject, body);
    const key = await this.located.branch(caller, name, branch);
    const objectId = objectIdOf(key.repository.storageNamespace, staged.physical_address);
    if (objectId === undefined) throw ApiError.invalid('physical_address: is not an address of this repository');
    const terms = { force: staged.force, ifAbsent: isOnlyIfAbsent(headers) };
    return this.stage(key, path, { ...staged, objectId }, terms);
  }

  /** The bytes must be there, and as many as the client says: a path must not show what cannot be read. */
  private async stage(
    key: BranchKey,
    path: string,
    staged: {
      objectId: string;
      checksum: string;
      size_bytes: number;
      mtime?: number | undefined;
      metadata: Record<string, string>;
      content_type: string;
    },
    terms: { force: boolean; ifAbsent: boolean },
  ): Promise<object> {
    await this.handler.assertWritable(key, path, terms);
    const { objectId, checksum, size_bytes: sizeBytes, metadata, content_type: contentType, mtime } = staged;
    const storedBytes = await this.objects.sizeOf(key.repository, objectId);
    if (storedBytes === undefined) throw ApiError.invalid('physical_address: no bytes were put there');
    if (storedBytes !== sizeBytes) {
      throw ApiError.invalid(`size_bytes: ${storedBytes} bytes are at the physical address, not ${sizeBytes}`);
    }
    const facts = { objectId, sizeBytes, checksum, metadata, contentType };
    const entry = { ...facts, ...(mtime !== undefined && { modifiedAtSeconds: mtime }) };
    return statsAnswer(key.repository, path, await this.handler.stage(key, path, entry, terms), { userMetadata: true });
  }
}

function grantOf({ repository, branch }: BranchKey, path: string, objectId: string) {
  return { repositoryId: repository.repositoryId, branch, path, objectId };
}

function splitAtLast(text: string, separator: string): [string, string] {
  const at = text.lastIndexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
