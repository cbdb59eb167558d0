import { Injectable } from '@nestjs/common';
import { newAccessKey, type AccessKey } from '@mledger/access-control';
import { EventStore, stream, type CommandContext } from '@mledger/event-log';
import { Ids } from '@mledger/service-kit';
import { DataSource } from 'typeorm';
import { Keys } from '../key/keys';
import { Users } from '../user/users';
import { tenantDecider, type TenantCommand } from './tenant';
import { FIND_TENANT, LIST_TENANTS } from './tenants.sql';

export interface TenantRecord {
  readonly tenantId: string;
  readonly open: boolean;
  readonly setUp: boolean;
  /** RFC 3339. */
  readonly createdAt: string;
}

interface TenantRow {
  readonly id: string;
  readonly active: boolean;
  readonly set_up: boolean;
  readonly created_at: string;
}

/** Tenants, each with an admin from its first moment: one without could never be entered. */
@Injectable()
export class Tenants {
  constructor(
    private readonly store: EventStore,
    private readonly users: Users,
    private readonly keys: Keys,
    private readonly dataSource: DataSource,
    private readonly ids: Ids,
  ) {}

  /** Tenant, admin and the admin's key, all or nothing. @param key of theirs; made when absent */
  async create(
    wish: { tenantId: string; adminName: string; key?: AccessKey },
    caller: CommandContext,
  ): Promise<{ userId: string; key: AccessKey }> {
    const { tenantId, adminName, key = newAccessKey() } = wish;
    // What happens in a tenant stands in its own streams, whoever caused it.
    const context = { ...caller, tenant: tenantId };
    const userId = this.ids.uuidv7();
    const create: TenantCommand = { type: 'CreateTenant', tenantId };
    const targets = [
      this.target(create),
      this.users.newUser(userId, ['admin'], context),
      this.keys.newKey(userId, key, context),
    ] as const;
    const [, , issued] = await this.store.handleAll(targets, context, {
      within: (manager) => this.users.nameUser(manager, tenantId, userId, adminName),
    });
    const [event] = issued.events;
    if (event?.type !== 'KeyIssued') throw new Error('creating a tenant issued no key');
    return { userId: event.data.userId, key: this.keys.opened(tenantId, event.data) };
  }

  async close(tenantId: string, reason: string, caller: CommandContext): Promise<void> {
    const command: TenantCommand = { type: 'CloseTenant', tenantId, reason };
    await this.store.handle(this.target(command), { ...caller, tenant: tenantId });
  }

  /** A lakeFS client's first call, which can be made once: an admin of that name, new or known, and a key for them. */
  async setUp(wish: { adminName: string; key: AccessKey }, context: CommandContext): Promise<void> {
    const { tenant: tenantId } = context;
    const known = await this.users.findByName(tenantId, wish.adminName);
    const userId = known?.userId ?? this.ids.uuidv7();
    const complete: TenantCommand = { type: 'CompleteSetup', tenantId, keyId: wish.key.keyId };
    const targets = [this.target(complete), this.keys.newKey(userId, wish.key, context)] as const;
    if (known) return void (await this.store.handleAll(targets, context));
    await this.store.handleAll([...targets, this.users.newUser(userId, ['admin'], context)], context, {
      within: (manager) => this.users.nameUser(manager, tenantId, userId, wish.adminName),
    });
  }

  async find(tenantId: string): Promise<TenantRecord | undefined> {
    const [row] = (await this.dataSource.query(FIND_TENANT, [tenantId])) as TenantRow[];
    return row && recordOf(row);
  }

  async list(page: { after: string; limit: number }): Promise<TenantRecord[]> {
    const rows = (await this.dataSource.query(LIST_TENANTS, [page.after, page.limit])) as TenantRow[];
    return rows.map(recordOf);
  }

  private target(command: TenantCommand) {
    return { decider: tenantDecider, stream: stream(command.tenantId, 'tenant', command.tenantId), command };
  }
}

const recordOf = (row: TenantRow): TenantRecord => ({
  tenantId: row.id,
  open: row.active,
  setUp: row.set_up,
  createdAt: row.created_at,
});
