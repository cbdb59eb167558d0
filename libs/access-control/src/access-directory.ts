import type { Role } from '@mledger/contracts';
import type { DataSource } from 'typeorm';
import type { AccessDirectoryRow } from './access-directory.entity';

/** How old what we know may be: a revocation holds this long, and one query, after its event has arrived here. */
const AGE_MS_MAX = 200;

export interface DirectoryUser {
  readonly tenant: string;
  readonly userId: string;
  readonly roles: readonly Role[];
}

export interface DirectoryKey {
  readonly tenant: string;
  readonly keyId: string;
  readonly userId: string;
  readonly secretSha256: string;
  readonly sealedSecret: string;
}

interface Snapshot {
  readonly tenants: ReadonlySet<string>;
  readonly users: ReadonlyMap<string, DirectoryUser>;
  readonly keys: ReadonlyMap<string, DirectoryKey>;
}

/**
 * The active rows of the access directory, in memory. It asks its table whether anything changed when somebody asks it
 * and it is older than AGE_MS_MAX: an idle service asks nothing, a busy one five times a second, and every
 * replica sees a change, whichever of them consumed the event.
 */
export class AccessDirectory {
  private snapshot: Snapshot = { tenants: new Set(), users: new Map(), keys: new Map() };
  private mark = '';
  private checkedAtMs = Number.NEGATIVE_INFINITY;
  private checking: Promise<void> | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /**
   * Looks at the table unless that was done since `sinceMs`; by default what is AGE_MS_MAX old will do.
   *
   * @throws whatever the database throws: a directory that cannot be read lets nobody in
   */
  async freshen(sinceMs = this.nowMs() - AGE_MS_MAX): Promise<void> {
    while (this.checkedAtMs < sinceMs) {
      // Whoever comes while a look is under way shares it, or the next one: never are there two at once.
      this.checking ??= this.check().finally(() => (this.checking = undefined));
      await this.checking;
    }
  }

  /** The same, so that what was committed before this call is seen: a key is used in the moment after it was issued. */
  freshenNow(): Promise<void> {
    return this.freshen(this.nowMs());
  }

  hasTenant(tenant: string): boolean {
    return this.snapshot.tenants.has(tenant);
  }

  user(tenant: string, userId: string): DirectoryUser | undefined {
    return this.hasTenant(tenant) ? this.snapshot.users.get(`${tenant}/${userId}`) : undefined;
  }

  key(keyId: string): DirectoryKey | undefined {
    return this.snapshot.keys.get(keyId);
  }

  private async check(): Promise<void> {
    const askedAtMs = this.nowMs();
    // Rows are never deleted and versions only grow, so equal sums mean that nothing happened.
    const [{ mark }] = (await this.dataSource.query(
      `select count(*) || ':' || coalesce(sum(version), 0) as mark from access_directory`,
    )) as [{ mark: string }];
    if (mark !== this.mark) {
      this.snapshot = snapshotOf(
        await this.dataSource.query(`select * from access_directory where active order by created_at, tenant, id`),
      );
      this.mark = mark;
    }
    this.checkedAtMs = askedAtMs;
  }
}

function snapshotOf(rows: AccessDirectoryRow[]): Snapshot {
  const tenants = new Set<string>();
  const users = new Map<string, DirectoryUser>();
  const keys = new Map<string, DirectoryKey>();
  for (const row of rows) {
    if (row.kind === 'tenant') tenants.add(row.id);
    if (row.kind === 'user') users.set(`${row.tenant}/${row.id}`, userOf(row));
    // The first who claimed a key id keeps it: a later one of that id can belong to another tenant.
    if (row.kind === 'key' && !keys.has(row.id)) keys.set(row.id, keyOf(row));
  }
  return { tenants, users, keys };
}

const userOf = (row: AccessDirectoryRow): DirectoryUser => ({
  tenant: row.tenant,
  userId: row.id,
  roles: row.roles === '' ? [] : (row.roles.split(',') as Role[]),
});

const keyOf = (row: AccessDirectoryRow): DirectoryKey => ({
  tenant: row.tenant,
  keyId: row.id,
  userId: row.user_id,
  secretSha256: row.secret_sha256,
  sealedSecret: row.sealed_secret,
});
