import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Working state of experiments: uploads that are under way. */
export class ExperimentsWorkingState1764000000000 implements MigrationInterface {
  readonly name = 'ExperimentsWorkingState1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table uploads (object_key text primary key, begun_at timestamptz not null)');
    await runner.query('create index on uploads (begun_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table uploads');
  }
}
