import { Injectable } from '@nestjs/common';
import { ApiError, type Caller } from '@mledger/service-kit';
import { Users } from '../user/users';

/** Whose keys somebody may make, see and revoke: their own, an admin everybody's. */
@Injectable()
export class KeyRights {
  constructor(private readonly users: Users) {}

  /**
   * @param wished a user's id; the caller's own when absent
   * @throws ApiError 403 for somebody else's, 404 when there is no such user
   */
  async holder(caller: Caller, wished: string | undefined): Promise<string> {
    const userId = wished ?? caller.identity.userId;
    if (userId === undefined) throw ApiError.invalid('userId: is needed, as the caller is no user with keys');
    this.assertMay(caller, userId);
    if (!(await this.users.find(caller.tenant, userId))) throw ApiError.notFound(`there is no user ${userId}`);
    return userId;
  }

  assertMay(caller: Caller, userId: string): void {
    if (caller.identity.userId !== userId && !caller.roles.includes('admin'))
      throw ApiError.forbidden('the keys of others are for admins');
  }
}
