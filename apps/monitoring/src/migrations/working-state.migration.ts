import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Working state of monitoring: open windows, and predictions and labels until they have been judged. */
export class MonitoringWorkingState1764000000000 implements MigrationInterface {
  readonly name = 'MonitoringWorkingState1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table open_windows (
        tenant text not null,
        monitor_id text not null,
        rows integer not null,
        primary key (tenant, monitor_id)
      )`);
    // A request's rows in a window. Of a closed one, whose window_id is set, only what its labels are compared with is kept.
    await runner.query(`
      create table window_rows (
        tenant text not null,
        monitor_id text not null,
        request_id text not null,
        first_row integer not null,
        rows integer not null,
        time text not null,
        columns json,
        predictions json not null,
        window_id text,
        judged boolean not null default false,
        arrival bigint generated always as identity,
        arrived_at timestamptz not null default now(),
        primary key (tenant, monitor_id, request_id, first_row)
      )`);
    await runner.query('create index on window_rows (tenant, monitor_id, window_id)');
    await runner.query('create index on window_rows (arrived_at)');
    await runner.query(`
      create table labels (
        tenant text not null,
        endpoint text not null,
        request_id text not null,
        row integer not null,
        label json not null,
        arrived_at timestamptz not null default now(),
        primary key (tenant, endpoint, request_id, row)
      )`);
    await runner.query('create index on labels (arrived_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table labels');
    await runner.query('drop table window_rows');
    await runner.query('drop table open_windows');
  }
}
