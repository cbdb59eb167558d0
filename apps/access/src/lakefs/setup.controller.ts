import { Body, Controller, Get, HttpCode, Post, Req } from '@nestjs/common';
import { newAccessKey, SESSION_COOKIE } from '@mledger/access-control';
import { ApiError, callerOf, commandContext, Config, parse, type FastifyRequest } from '@mledger/service-kit';
import { z } from 'zod';
import { userName } from '../api/access.schemas';
import { Tenants } from '../tenant/tenants';
import { Users } from '../user/users';

const setupBody = z.object({
  username: userName,
  key: z.object({ access_key_id: z.string(), secret_access_key: z.string() }).nullish(),
});

/**
 * lakeFS's first contact. Only an open server, which trusts whoever reaches it, can be set up: with keys required, the operator's first
 * key is the way in, and a stranger's setup would be a sign-up.
 */
@Controller('api/v1')
export class SetupController {
  constructor(
    private readonly config: Config,
    private readonly tenants: Tenants,
    private readonly users: Users,
  ) {}

  @Get('setup_lakefs')
  async state() {
    return {
      state: (await this.canBeSetUp()) ? 'not_initialized' : 'initialized',
      comm_prefs_missing: false,
      login_config: {
        RBAC: 'none',
        login_url: '/api/v1/auth/login',
        logout_url: '/',
        login_cookie_names: [SESSION_COOKIE],
      },
    };
  }

  @Post('setup_lakefs')
  @HttpCode(200)
  async setUp(@Req() request: FastifyRequest, @Body() body: unknown) {
    const { username, key: given } = parse(setupBody, body);
    if (!(await this.canBeSetUp())) throw ApiError.conflict('lakeFS already initialized');
    const context = commandContext(callerOf(request));
    const key = given ? { keyId: given.access_key_id, secret: given.secret_access_key } : newAccessKey();
    await this.tenants.setUp({ adminName: username, key }, context);
    const user = await this.users.findByName(context.tenant, username);
    const creation = Math.floor(Date.parse(user!.createdAt) / 1000);
    return { access_key_id: key.keyId, secret_access_key: key.secret, creation_date: creation };
  }

  @Post('setup_comm_prefs')
  @HttpCode(200)
  preferences() {
    return {};
  }

  private async canBeSetUp(): Promise<boolean> {
    if (this.config.auth !== 'open' || this.config.firstKey !== undefined) return false;
    return !(await this.tenants.find('default'))?.setUp;
  }
}
