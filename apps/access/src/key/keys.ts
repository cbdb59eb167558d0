import { Injectable } from '@nestjs/common';
import {
  faultOfSuppliedKey,
  MasterKey,
  newAccessKey,
  openSecret,
  sealedKey,
  type AccessKey,
} from '@mledger/access-control';
import { EventStore, stream, type CommandContext } from '@mledger/event-log';
import { ApiError } from '@mledger/service-kit';
import { DataSource } from 'typeorm';
import { assertAdminIsLeft } from '../tenant/last-admin';
import { keyDecider } from './key';
import { FIND_KEY, LIST_KEYS } from './keys.sql';

export interface KeyRecord {
  readonly keyId: string;
  readonly userId: string;
  readonly active: boolean;
  /** RFC 3339. */
  readonly createdAt: string;
}

interface KeyRow {
  readonly id: string;
  readonly user_id: string;
  readonly active: boolean;
  readonly created_at: string;
}

/** Keys: an id, and a secret that is told once. */
@Injectable()
export class Keys {
  constructor(
    private readonly store: EventStore,
    private readonly dataSource: DataSource,
    private readonly masterKey: MasterKey,
  ) {}

  /** A new key for a user who exists. A repeat of the same command gets the same key again. */
  async issue(userId: string, context: CommandContext): Promise<AccessKey> {
    const target = this.newKey(userId, newAccessKey(), context);
    const { events } = await this.store.handle(target, context);
    const [issued] = events;
    if (issued?.type !== 'KeyIssued') throw new Error('issuing a key left no event');
    return this.opened(context.tenant, issued.data);
  }

  /** The key of an event, for the one answer that may show it. */
  opened(tenant: string, issued: { keyId: string; sealedSecret: string }): AccessKey {
    return { keyId: issued.keyId, secret: openSecret(this.masterKey, { tenant, ...issued }) };
  }

  /**
   * For an append that makes more than the key.
   * @throws ApiError when a key that somebody brought along is not fit to be one
   */
  newKey(userId: string, key: AccessKey, { tenant }: CommandContext) {
    const fault = faultOfSuppliedKey(key);
    if (fault) throw ApiError.invalid(fault);
    const command = { type: 'IssueKey', keyId: key.keyId, userId, ...sealedKey(this.masterKey, tenant, key) } as const;
    return { decider: keyDecider, stream: stream(tenant, 'key', key.keyId), command };
  }

  async revoke(keyId: string, reason: string, context: CommandContext): Promise<void> {
    const command = { type: 'RevokeKey', keyId, reason } as const;
    const { tenant } = context;
    await this.store.handle({ decider: keyDecider, stream: stream(tenant, 'key', keyId), command }, context, {
      within: (manager) => assertAdminIsLeft(manager, tenant),
    });
  }

  async find(tenant: string, keyId: string): Promise<KeyRecord | undefined> {
    const [row] = (await this.dataSource.query(FIND_KEY, [tenant, keyId])) as KeyRow[];
    return row && recordOf(row);
  }

  /** Valid keys in order of id, of one user or of everybody. */
  async list(tenant: string, page: { userId?: string; after: string; limit: number }): Promise<KeyRecord[]> {
    const rows = (await this.dataSource.query(LIST_KEYS, [
      tenant,
      page.userId ?? null,
      page.after,
      page.limit,
    ])) as KeyRow[];
    return rows.map(recordOf);
  }
}

const recordOf = (row: KeyRow): KeyRecord => ({
  keyId: row.id,
  userId: row.user_id,
  active: row.active,
  createdAt: row.created_at,
});
