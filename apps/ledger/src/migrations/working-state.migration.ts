import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Working state of the ledger: where in its timeline each event stands, the predictions it heard of, and the checkpoints. */
export class LedgerWorkingState1764100000000 implements MigrationInterface {
  readonly name = 'LedgerWorkingState1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table timeline_order (
        position bigint primary key,
        tenant text not null,
        service text not null,
        seq bigint not null,
        unique (service, seq)
      )`);
    await runner.query('create index on timeline_order (tenant, position)');
    await runner.query(`
      create table predictions (
        tenant text not null,
        request_id text not null,
        client_request_id text,
        endpoint_id text not null,
        endpoint text not null,
        revision integer not null,
        model_id text not null,
        model text not null,
        model_version integer not null,
        time text not null,
        status integer not null,
        actor text not null,
        correlation text not null,
        digest bytea not null,
        payload text not null,
        primary key (tenant, request_id)
      )`);
    await runner.query('create index on predictions (tenant, client_request_id) where client_request_id is not null');
    await runner.query('create index on predictions (time)');
    await runner.query(`
      create table checkpoints_heard (
        service text not null,
        seq bigint not null,
        statement jsonb not null,
        primary key (service, seq)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['checkpoints_heard', 'predictions', 'timeline_order']) {
      await runner.query(`drop table ${table}`);
    }
  }
}
