import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Working state of versioning: staged changes, and uploads in parts that are under way. */
export class VersioningWorkingState1764000000000 implements MigrationInterface {
  readonly name = 'VersioningWorkingState1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    // entry: null removes the path. xid: of the transaction that wrote the row; a commit clears the rows that it saw.
    await runner.query(`
      create table staged_entries (
        tenant text not null,
        repository_id text not null,
        branch text collate "C" not null,
        incarnation integer not null,
        path bytea not null,
        entry bytea,
        xid xid8 not null,
        primary key (tenant, repository_id, branch, incarnation, path)
      )`);
    await runner.query(`
      create table multipart_uploads (
        upload_id uuid primary key,
        tenant text not null,
        repository_id text not null,
        branch text collate "C" not null,
        path text collate "C" not null,
        content_type text not null,
        metadata jsonb not null,
        started_at timestamptz not null
      )`);
    await runner.query('create index on multipart_uploads (tenant, repository_id, branch, path)');
    await runner.query(`
      create table multipart_parts (
        upload_id uuid not null references multipart_uploads on delete cascade,
        part_number integer not null,
        object_id text not null,
        size_bytes bigint not null,
        md5 text not null,
        modified_at timestamptz not null,
        primary key (upload_id, part_number)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table multipart_parts');
    await runner.query('drop table multipart_uploads');
    await runner.query('drop table staged_entries');
  }
}
