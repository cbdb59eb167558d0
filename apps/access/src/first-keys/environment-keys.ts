import { Injectable } from '@nestjs/common';
import type { AccessKey } from '@mledger/access-control';
import { EventStore, stream, type CommandContext } from '@mledger/event-log';
import { Logger } from '@mledger/service-kit';
import { keyDecider } from '../key/key';
import { Keys } from '../key/keys';
import { Users } from '../user/users';

export const FIRST_ADMIN_NAME = 'admin';

/** Lets a key of the environment in at a later start, so that an operator who lost all others gets back in. */
@Injectable()
export class EnvironmentKeys {
  constructor(
    private readonly store: EventStore,
    private readonly users: Users,
    private readonly keys: Keys,
    private readonly logger: Logger,
  ) {}

  async admit(key: AccessKey, context: CommandContext): Promise<void> {
    const { tenant } = context;
    const { state } = await this.store.load(keyDecider, stream(tenant, 'key', key.keyId));
    if (state.status === 'revoked')
      this.logger.warn({ tenant, keyId: key.keyId }, 'the key of the environment has been revoked: set another');
    if (state.status !== 'absent') return;
    const admin = await this.users.findByName(tenant, FIRST_ADMIN_NAME);
    const userId = admin?.userId ?? (await this.users.create({ name: FIRST_ADMIN_NAME, roles: ['admin'] }, context));
    await this.store.handle(this.keys.newKey(userId, key, context), context);
    this.logger.info({ tenant, keyId: key.keyId }, 'the key of the environment is an admin’s now');
  }
}
