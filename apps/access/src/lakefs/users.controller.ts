import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiError, Caller, commandContext, parse } from '@mledger/service-kit';
import { z } from 'zod';
import { userName } from '../api/access.schemas';
import { KeyRights } from '../key/key-rights';
import { Keys, type KeyRecord } from '../key/keys';
import { Users, type User } from '../user/users';

const page = z.object({
  after: z.string().max(256).default(''),
  amount: z.coerce.number().int().min(-1).max(1000).default(100),
});
const newUser = z.object({ id: userName });
const AMOUNT_DEFAULT = 100;
const AMOUNT_MAX = 1000;

/** lakeFS's user management: there a user's id is the name. Groups and policies are roles here, so there are none. */
@Controller('api/v1/auth')
export class LakefsUsersController {
  constructor(
    private readonly users: Users,
    private readonly keys: Keys,
    private readonly rights: KeyRights,
  ) {}

  @Get('users')
  async list(@Caller() caller: Caller, @Query() query: unknown) {
    const { after, limit } = pageOf(query);
    const users = await this.users.list(caller.tenant, { after, limit: limit + 1 });
    return paginated(users.map(lakefsUser), limit);
  }

  @Post('users')
  async create(@Caller() caller: Caller, @Body() body: unknown) {
    const { id: name } = parse(newUser, body);
    await this.users.create({ name, roles: ['contributor'] }, commandContext(caller));
    return lakefsUser(await this.named(caller, name));
  }

  @Get('users/:userId')
  async get(@Caller() caller: Caller, @Param('userId') name: string) {
    return lakefsUser(await this.named(caller, name));
  }

  @Delete('users/:userId')
  @HttpCode(204)
  async remove(@Caller() caller: Caller, @Param('userId') name: string) {
    const { userId } = await this.named(caller, name);
    await this.users.remove(userId, '', commandContext(caller));
  }

  @Get('users/:userId/credentials')
  async listCredentials(@Caller() caller: Caller, @Param('userId') name: string, @Query() query: unknown) {
    const { userId } = await this.ownOrAny(caller, name);
    const { after, limit } = pageOf(query);
    const keys = await this.keys.list(caller.tenant, { userId, after, limit: limit + 1 });
    return paginated(
      keys.map((key) => ({ ...lakefsKey(key), id: key.keyId })),
      limit,
    );
  }

  @Post('users/:userId/credentials')
  async createCredentials(@Caller() caller: Caller, @Param('userId') name: string) {
    const { userId } = await this.ownOrAny(caller, name);
    const key = await this.keys.issue(userId, commandContext(caller));
    const record = await this.keys.find(caller.tenant, key.keyId);
    return { ...lakefsKey(record!), secret_access_key: key.secret };
  }

  @Get('users/:userId/credentials/:accessKeyId')
  async getCredentials(@Caller() caller: Caller, @Param('userId') name: string, @Param('accessKeyId') keyId: string) {
    return lakefsKey(await this.keyOf(caller, name, keyId));
  }

  @Delete('users/:userId/credentials/:accessKeyId')
  @HttpCode(204)
  async deleteCredentials(
    @Caller() caller: Caller,
    @Param('userId') name: string,
    @Param('accessKeyId') keyId: string,
  ) {
    await this.keyOf(caller, name, keyId);
    await this.keys.revoke(keyId, '', commandContext(caller));
  }

  @Get('groups')
  groups() {
    return paginated([], AMOUNT_MAX);
  }

  @Get('policies')
  policies() {
    return paginated([], AMOUNT_MAX);
  }

  private async named(caller: Caller, name: string): Promise<User> {
    const user = await this.users.findByName(caller.tenant, name);
    if (!user) throw ApiError.notFound(`user not found: ${name}`);
    return user;
  }

  private async ownOrAny(caller: Caller, name: string): Promise<User> {
    const user = await this.named(caller, name);
    this.rights.assertMay(caller, user.userId);
    return user;
  }

  private async keyOf(caller: Caller, name: string, keyId: string): Promise<KeyRecord> {
    const { userId } = await this.ownOrAny(caller, name);
    const key = await this.keys.find(caller.tenant, keyId);
    if (!key?.active || key.userId !== userId) throw ApiError.notFound(`credentials not found: ${keyId}`);
    return key;
  }
}

const seconds = (time: string): number => Math.floor(Date.parse(time) / 1000);

const lakefsUser = ({ name, createdAt }: User) => ({
  id: name,
  creation_date: seconds(createdAt),
  friendly_name: name,
});

const lakefsKey = ({ keyId, createdAt }: KeyRecord) => ({ access_key_id: keyId, creation_date: seconds(createdAt) });

function pageOf(query: unknown): { after: string; limit: number } {
  const { after, amount } = parse(page, query, 'query');
  return { after, limit: amount <= 0 ? AMOUNT_DEFAULT : amount };
}

/** @param items one more than the limit when there are more */
function paginated<T extends { id: string }>(items: readonly T[], limit: number) {
  const results = items.slice(0, limit);
  const hasMore = items.length > limit;
  const pagination = {
    has_more: hasMore,
    next_offset: hasMore ? (results.at(-1)?.id ?? '') : '',
    results: results.length,
    max_per_page: AMOUNT_MAX,
  };
  return { pagination, results };
}
