import { Body, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import {
  AccessControl,
  AccessRefused,
  LOCAL_ADMIN,
  LOGIN_TOKEN_SECONDS,
  SESSION_COOKIE,
} from '@mledger/access-control';
import { identityOf, parse, type FastifyReply, type FastifyRequest } from '@mledger/service-kit';
import { z } from 'zod';
import { Users } from '../user/users';

const loginBody = z.object({ access_key_id: z.string().max(256), secret_access_key: z.string().max(256) });

@Controller('api/v1')
export class AuthController {
  constructor(
    private readonly access: AccessControl,
    private readonly users: Users,
  ) {}

  @Post('auth/login')
  @HttpCode(200)
  async login(@Body() body: unknown, @Res({ passthrough: true }) reply: FastifyReply) {
    const { access_key_id: keyId, secret_access_key: secret } = parse(loginBody, body);
    const login = await this.access.logIn({ keyId, secret });
    if (!login) throw new AccessRefused('unauthenticated', 'UNAUTHENTICATED', 'error authenticating request');
    // Strict: another site's page cannot make the browser send it, and no script can read it.
    const attributes = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${LOGIN_TOKEN_SECONDS}`;
    void reply.header('set-cookie', `${SESSION_COOKIE}=${login.token}; ${attributes}`);
    return { token: login.token, token_expiration: login.expiresAt };
  }

  /** Nobody is answered too, with an empty id; wrong credentials are not. */
  @Get('user')
  async user(@Req() request: FastifyRequest) {
    if (request.edge.refusal !== undefined) throw request.edge.refusal;
    const identity = identityOf(request);
    if (!identity) return { user: { id: '', creation_date: 0 } };
    const user = identity.userId === undefined ? undefined : await this.users.find(identity.tenant, identity.userId);
    const id = user?.name ?? identity.actor.replace(/^user:/, '');
    const createdAtMs = user === undefined || identity === LOCAL_ADMIN ? 0 : Date.parse(user.createdAt);
    return { user: { id, creation_date: Math.floor(createdAtMs / 1000), friendly_name: id, email: '' } };
  }

  @Get('auth/capabilities')
  capabilities() {
    return { invite_user: false, forgot_password: false };
  }
}
