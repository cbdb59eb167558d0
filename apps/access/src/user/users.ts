import { Injectable } from '@nestjs/common';
import type { Role } from '@mledger/contracts';
import { CommandRefused, EventStore, sqlState, stream, type CommandContext } from '@mledger/event-log';
import { Ids } from '@mledger/service-kit';
import { DataSource, type EntityManager } from 'typeorm';
import { assertAdminIsLeft } from '../tenant/last-admin';
import { userDecider, type UserCommand } from './user';
import { UserProfile } from './user-profile';
import { FIND_USER, FIND_USER_BY_NAME, LIST_USERS } from './users.sql';

const UNIQUE_VIOLATION = '23505';

export interface User {
  readonly userId: string;
  readonly name: string;
  readonly roles: readonly Role[];
  /** RFC 3339. */
  readonly createdAt: string;
}

interface UserRow {
  readonly user_id: string;
  readonly name: string;
  readonly roles: string;
  readonly created_at: string;
}

/** The people and machines of a tenant. */
@Injectable()
export class Users {
  constructor(
    private readonly store: EventStore,
    private readonly dataSource: DataSource,
    private readonly ids: Ids,
  ) {}

  /** @returns the user's id; the same one when the command is a repeat */
  async create(user: { name: string; roles: readonly Role[] }, context: CommandContext): Promise<string> {
    const userId = this.ids.uuidv7();
    const created = await this.refusingTakenNames(user.name, () =>
      this.store.handle(this.newUser(userId, user.roles, context), context, {
        within: (manager) => this.nameUser(manager, context.tenant, userId, user.name),
      }),
    );
    const [event] = created.events;
    return event?.data.userId ?? userId;
  }

  /** For an append that makes more than the user. */
  newUser(userId: string, roles: readonly Role[], { tenant }: CommandContext) {
    const command = { type: 'CreateUser', userId, roles } as const;
    return { decider: userDecider, stream: stream(tenant, 'user', userId), command };
  }

  async nameUser(manager: EntityManager, tenant: string, userId: string, name: string): Promise<void> {
    await manager.insert(UserProfile, { tenant, user_id: userId, name });
  }

  async setRoles(userId: string, roles: readonly Role[], context: CommandContext): Promise<void> {
    const target = this.target({ type: 'SetRoles', userId, roles }, context.tenant);
    await this.store.handle(target, context, {
      within: async (manager) => {
        if (!roles.includes('admin')) await assertAdminIsLeft(manager, context.tenant);
      },
    });
  }

  /** The user is gone, their keys are worth nothing, and their name is forgotten. */
  async remove(userId: string, reason: string, context: CommandContext): Promise<void> {
    const target = this.target({ type: 'RemoveUser', userId, reason }, context.tenant);
    await this.store.handle(target, context, {
      within: async (manager) => {
        await manager.delete(UserProfile, { tenant: context.tenant, user_id: userId });
        await assertAdminIsLeft(manager, context.tenant);
      },
    });
  }

  async find(tenant: string, userId: string): Promise<User | undefined> {
    const [row] = (await this.dataSource.query(FIND_USER, [tenant, userId])) as UserRow[];
    return row && userOf(row);
  }

  async findByName(tenant: string, name: string): Promise<User | undefined> {
    const [row] = (await this.dataSource.query(FIND_USER_BY_NAME, [tenant, name])) as UserRow[];
    return row && userOf(row);
  }

  /** In order of name, after the name given. */
  async list(tenant: string, page: { after: string; limit: number }): Promise<User[]> {
    const rows = (await this.dataSource.query(LIST_USERS, [tenant, page.after, page.limit])) as UserRow[];
    return rows.map(userOf);
  }

  /** @throws CommandRefused exists, when `work` stumbles on a name that somebody has */
  async refusingTakenNames<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
      throw new CommandRefused({ kind: 'exists', code: 'USER_NAME_TAKEN', message: `there is a user named ${name}` });
    }
  }

  private target(command: UserCommand, tenant: string) {
    return { decider: userDecider, stream: stream(tenant, 'user', command.userId), command };
  }
}

const userOf = (row: UserRow): User => ({
  userId: row.user_id,
  name: row.name,
  roles: row.roles === '' ? [] : (row.roles.split(',') as Role[]),
  createdAt: row.created_at,
});
