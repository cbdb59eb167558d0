import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { AccessKey } from '@mledger/access-control';
import { CommandRefused, type CommandContext } from '@mledger/event-log';
import { Announcer, Config, Ids } from '@mledger/service-kit';
import { Tenants } from '../tenant/tenants';
import { EnvironmentKeys, FIRST_ADMIN_NAME } from './environment-keys';
import { FirstKeyFile } from './first-key-file';

/**
 * Makes what has to be there before anybody can be let in: the tenants `default` and `system`, and an admin's key of
 * each. Keys come from the environment, else are made once, told once, and kept in the data folder.
 */
@Injectable()
export class FirstKeys implements OnApplicationBootstrap {
  constructor(
    private readonly config: Config,
    private readonly tenants: Tenants,
    private readonly file: FirstKeyFile,
    private readonly environment: EnvironmentKeys,
    private readonly announcer: Announcer,
    private readonly ids: Ids,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.ensure('system', this.config.systemKey);
    await this.ensure('default', this.config.firstKey);
  }

  private async ensure(tenantId: string, given: AccessKey | undefined): Promise<void> {
    const id = this.ids.uuidv7();
    // Nobody calls at a start: the installation itself acts.
    const context: CommandContext = {
      tenant: tenantId,
      actor: 'user:first-start',
      cause: `start:${id}`,
      correlation: id,
    };
    if ((await this.tenants.find(tenantId)) || !(await this.create(tenantId, given, context))) {
      if (given) await this.environment.admit(given, context);
    }
  }

  /** @returns false when another replica was faster */
  private async create(tenantId: string, given: AccessKey | undefined, context: CommandContext): Promise<boolean> {
    // Kept before it is used: a crash in between must not leave a tenant that nobody can enter.
    const key = given ?? (await this.file.keyOf(tenantId));
    try {
      await this.tenants.create({ tenantId, adminName: FIRST_ADMIN_NAME, key }, context);
    } catch (error) {
      if (error instanceof CommandRefused && error.refusal.kind === 'exists') return false;
      throw error;
    }
    if (!given) {
      await this.file.keep(tenantId, key);
      this.announcer.announce(
        `The first key of tenant ${tenantId} (shown once; kept in ${this.file.path}):\n` +
          `  access key id:     ${key.keyId}\n  secret access key: ${key.secret}`,
      );
    }
    return true;
  }
}
