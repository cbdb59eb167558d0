import type { MigrationInterface, QueryRunner } from 'typeorm';

export class UserProfiles1764000100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table user_profiles (
        tenant text not null, user_id text not null, name text not null,
        primary key (tenant, user_id),
        constraint user_profiles_name unique (tenant, name)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table user_profiles');
  }
}
