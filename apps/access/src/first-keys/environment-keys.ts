import { Injectable } from '@nestjs/common';
import type { AccessKey } from '@mledger/access-control';
import { CommandRefused, EventStore, stream, type CommandContext } from '@mledger/event-log';
import { Ids, Logger } from '@mledger/service-kit';
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
    private readonly ids: Ids,
    private readonly logger: Logger,
  ) {}

  async admit(key: AccessKey, context: CommandContext): Promise<void> {
    const { tenant } = context;
    const { state } = await this.store.load(keyDecider, stream(tenant, 'key', key.keyId));
    if (state.status === 'revoked')
      this.logger.warn({ tenant, keyId: key.keyId }, 'the key of the environment has been revoked: set another');
    if (state.status !== 'absent') return;
    try {
      await this.give(key, context);
    } catch (error) {
      // Another replica was faster.
      if (error instanceof CommandRefused && error.refusal.code === 'KEY_EXISTS') return;
      throw error;
    }
    this.logger.info({ tenant, keyId: key.keyId }, 'the key of the environment is an admin’s now');
  }

  private async give(key: AccessKey, context: CommandContext): Promise<void> {
    const { tenant } = context;
    const first = await this.users.findByName(tenant, FIRST_ADMIN_NAME);
    if (first?.roles.includes('admin')) {
      await this.store.handle(this.keys.newKey(first.userId, key, context), context);
      return;
    }
    // Somebody of that name who is no admin is not made one: they may have other keys.
    const name = first ? `${FIRST_ADMIN_NAME}-${key.keyId}` : FIRST_ADMIN_NAME;
    const userId = this.ids.uuidv7();
    const targets = [this.users.newUser(userId, ['admin'], context), this.keys.newKey(userId, key, context)] as const;
    await this.users.refusingTakenNames(name, () =>
      this.store.handleAll(targets, context, {
        within: (manager) => this.users.nameUser(manager, tenant, userId, name),
      }),
    );
  }
}
