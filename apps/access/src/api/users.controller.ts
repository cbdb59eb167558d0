import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { impliedRoles } from '@mledger/access-control';
import { ROLES } from '@mledger/contracts';
import { ApiError, Caller, commandContext, parse } from '@mledger/service-kit';
import { Users } from '../user/users';
import { id, newUserBody, pageQuery, reasonQuery, rolesBody } from './access.schemas';

@Controller('api/mledger/v1')
export class UsersController {
  constructor(private readonly users: Users) {}

  /** What each role includes. */
  @Get('roles')
  roles() {
    return { roles: ROLES.map((role) => ({ role, includes: impliedRoles([role]).filter((other) => other !== role) })) };
  }

  /** Who the caller is. */
  @Get('caller')
  async caller(@Caller() caller: Caller) {
    const { tenant, actor, roles, identity } = caller;
    const user = identity.userId === undefined ? undefined : await this.users.find(tenant, identity.userId);
    return { tenant, actor, roles, userId: identity.userId, name: user?.name, keyId: identity.keyId };
  }

  @Get('users')
  async list(@Caller() caller: Caller, @Query() query: unknown) {
    const page = parse(pageQuery, query, 'query');
    const users = await this.users.list(caller.tenant, page);
    return { users, next: users.length === page.limit ? users.at(-1)?.name : undefined };
  }

  @Post('users')
  async create(@Caller() caller: Caller, @Body() body: unknown) {
    const user = parse(newUserBody, body);
    return { userId: await this.users.create(user, commandContext(caller)), ...user };
  }

  @Get('users/:id')
  async get(@Caller() caller: Caller, @Param('id') idText: string) {
    const user = await this.users.find(caller.tenant, parse(id, idText, 'id'));
    if (!user) throw ApiError.notFound(`there is no user ${idText}`);
    return user;
  }

  @Put('users/:id/roles')
  async setRoles(@Caller() caller: Caller, @Param('id') idText: string, @Body() body: unknown) {
    const { roles } = parse(rolesBody, body);
    await this.users.setRoles(parse(id, idText, 'id'), roles, commandContext(caller));
    return { userId: idText, roles };
  }

  @Delete('users/:id')
  @HttpCode(204)
  async remove(@Caller() caller: Caller, @Param('id') idText: string, @Query() query: unknown) {
    const { reason } = parse(reasonQuery, query, 'query');
    await this.users.remove(parse(id, idText, 'id'), reason, commandContext(caller));
  }
}
