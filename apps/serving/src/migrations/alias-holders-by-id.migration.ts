import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who holds an alias is kept under the model's id: its name may come to mean another model. */
export class ServingAliasHoldersById1764200000000 implements MigrationInterface {
  readonly name = 'ServingAliasHoldersById1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table alias_holders rename to alias_holders_by_name');
    await runner.query(`
      create table alias_holders (
        tenant text not null,
        model_id text not null,
        alias text not null,
        facts jsonb not null,
        primary key (tenant, model_id, alias)
      )`);
    // Of a model that was renamed there may be two; the version that was made last holds it.
    await runner.query(`
      insert into alias_holders (tenant, model_id, alias, facts)
      select distinct on (tenant, facts ->> 'modelId', alias) tenant, facts ->> 'modelId', alias, facts
      from alias_holders_by_name order by tenant, facts ->> 'modelId', alias, (facts ->> 'version')::int desc`);
    await runner.query('drop table alias_holders_by_name');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table alias_holders rename column model_id to model');
    await runner.query(`update alias_holders set model = facts ->> 'model'`);
  }
}
