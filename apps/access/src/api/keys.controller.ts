import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiError, Caller, commandContext, parse } from '@mledger/service-kit';
import { KeyRights } from '../key/key-rights';
import { Keys } from '../key/keys';
import { id, keysQuery, newKeyBody, reasonQuery } from './access.schemas';

@Controller('api/mledger/v1/keys')
export class KeysController {
  constructor(
    private readonly keys: Keys,
    private readonly rights: KeyRights,
  ) {}

  /** Valid keys, without their secrets: everybody's for an admin, else one's own. */
  @Get()
  async list(@Caller() caller: Caller, @Query() query: unknown) {
    const { userId, ...page } = parse(keysQuery, query, 'query');
    const isAdmin = caller.roles.includes('admin');
    const holder = isAdmin && userId === undefined ? undefined : await this.rights.holder(caller, userId);
    const keys = await this.keys.list(caller.tenant, { ...page, userId: holder });
    return {
      keys: keys.map(({ active: _, ...key }) => key),
      next: keys.length === page.limit ? keys.at(-1)?.keyId : undefined,
    };
  }

  /** The only answer that ever shows the secret. */
  @Post()
  async issue(@Caller() caller: Caller, @Body() body: unknown) {
    const userId = await this.rights.holder(caller, parse(newKeyBody, body).userId);
    return { ...(await this.keys.issue(userId, commandContext(caller))), userId };
  }

  @Delete(':id')
  @HttpCode(204)
  async revoke(@Caller() caller: Caller, @Param('id') idText: string, @Query() query: unknown) {
    const keyId = parse(id, idText, 'id');
    const key = await this.keys.find(caller.tenant, keyId);
    if (!key) throw ApiError.notFound(`there is no key ${keyId}`);
    this.rights.assertMay(caller, key.userId);
    await this.keys.revoke(keyId, parse(reasonQuery, query, 'query').reason, commandContext(caller));
  }
}
