import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Working state of serving: who holds an alias as the reaction knows it, and predictions that wait for their seal. */
export class ServingWorkingState1763900000000 implements MigrationInterface {
  readonly name = 'ServingWorkingState1763900000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table alias_holders (
        tenant text not null,
        model text not null,
        alias text not null,
        facts jsonb not null,
        primary key (tenant, model, alias)
      )`);
    await runner.query(`
      create table unsealed_predictions (
        tenant text not null,
        endpoint_id text not null,
        revision integer not null,
        request_id text not null,
        endpoint text not null,
        digest bytea not null,
        arrived_at timestamptz not null default now(),
        primary key (tenant, endpoint_id, revision, request_id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table unsealed_predictions');
    await runner.query('drop table alias_holders');
  }
}
