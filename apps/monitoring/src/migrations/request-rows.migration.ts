import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How many rows a request has of which these are some; null of those that were gathered before it was kept. */
export class RequestRows1764300000000 implements MigrationInterface {
  readonly name = 'RequestRows1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table window_rows add column request_rows integer');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table window_rows drop column request_rows');
  }
}
