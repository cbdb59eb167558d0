import { randomUUID } from 'node:crypto';
import { newAccessKey, sealedKey, type AccessKey } from '@mledger/access-control';
import { catalogOf, type AccessEvent, type Role } from '@mledger/contracts';
import { Relay } from '@mledger/event-bus';
import { openEventLog, stream, type EventLog } from '@mledger/event-log';
import type { Logger } from '../logger';
import type { Runtime } from '../service-definition';

/** A key that a test made, and the header that presents it. */
export interface TestKey extends AccessKey {
  readonly userId: string;
  readonly authorization: string;
}

/**
 * The events of access, where a test runs other services without it: real events on a real log and the real
 * bus, from which the service under test builds its read model.
 */
export class TestAccessLog {
  private constructor(
    private readonly log: EventLog,
    private readonly relay: Relay,
    private readonly runtime: Runtime,
  ) {}

  static async open(runtime: Runtime, logger: Logger): Promise<TestAccessLog> {
    const log = await openEventLog({
      service: 'access',
      url: runtime.databaseUrl,
      catalog: catalogOf('access'),
      projections: [],
      poolSizeMax: 2,
      onError: (error, where) => logger.error({ error, where }, 'failed behind the scenes; it is tried again'),
    });
    await log.start();
    const relay = new Relay({ service: 'access', log, bus: runtime.bus, logger });
    await relay.start();
    const access = new TestAccessLog(log, relay, runtime);
    await access.createTenant('default');
    return access;
  }

  async createTenant(tenant: string): Promise<void> {
    await this.append(stream(tenant, 'tenant', tenant), tenant, { type: 'TenantCreated', data: { tenantId: tenant } });
  }

  /** A new user with these roles, and a key of theirs. */
  async issueKey({ tenant = 'default', roles }: { tenant?: string; roles: readonly Role[] }): Promise<TestKey> {
    const userId = randomUUID();
    const key = newAccessKey();
    const user = stream(tenant, 'user', userId);
    await this.append(user, tenant, { type: 'UserCreated', data: { userId } });
    for (const role of roles) await this.append(user, tenant, { type: 'RoleGranted', data: { userId, role } });
    const sealed = sealedKey(this.runtime.masterKey, tenant, key);
    const issued = { keyId: key.keyId, userId, ...sealed };
    await this.append(stream(tenant, 'key', key.keyId), tenant, { type: 'KeyIssued', data: issued });
    const authorization = `Basic ${Buffer.from(`${key.keyId}:${key.secret}`).toString('base64')}`;
    return { ...key, userId, authorization };
  }

  async revokeKey({ keyId, userId }: TestKey, tenant = 'default'): Promise<void> {
    const data = { keyId, userId, reason: 'the test revokes it' };
    await this.append(stream(tenant, 'key', keyId), tenant, { type: 'KeyRevoked', data });
  }

  async stop(): Promise<void> {
    await this.relay.stop();
    await this.log.stop();
  }

  private async append(streamId: string, tenant: string, event: AccessEvent): Promise<void> {
    const context = { tenant, actor: 'user:test', cause: 'test', correlation: randomUUID() };
    await this.log.store.appendBlind(streamId, [event], context);
  }
}
