import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * Who there is and what they may: one row for each tenant, user and key. The access service projects it inline from its own
 * log; every other service keeps the same table from the events that it hears. A row never goes: what is revoked
 * stays, inactive, so that the sum of versions grows with every event.
 */
@Entity({ name: 'access_directory' })
export class AccessDirectoryRow {
  @PrimaryColumn('text') tenant!: string;
  @PrimaryColumn('text') kind!: 'tenant' | 'user' | 'key';
  /** Tenant id, user id or key id. */
  @PrimaryColumn('text') id!: string;
  /** Of the stream; what an event that was applied already is known by. */
  @Column('int') version!: number;
  @Column('boolean') active!: boolean;
  /** Of a user: role names in the order of the roles' table, separated by commas. */
  @Column('text') roles!: string;
  /** Of a key: its holder. */
  @Column('text') user_id!: string;
  @Column('text') secret_sha256!: string;
  @Column('text') sealed_secret!: string;
  /** When it came to be, RFC 3339. */
  @Column('text') created_at!: string;
  /** Of a tenant: whether a lakeFS client has set it up. */
  @Column('boolean') set_up!: boolean;
}
