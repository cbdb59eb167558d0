import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ADOPT_RESTORED, APPEND_EVENTS, GUARDS, SEQUENCE_EVENTS, TABLES } from '../schema.sql';

export class EventLog1764000000000 implements MigrationInterface {
  name = 'EventLog1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [TABLES, GUARDS, APPEND_EVENTS, SEQUENCE_EVENTS, ADOPT_RESTORED]) await runner.query(sql);
  }

  /** A log is never taken back: what it holds is nowhere else. */
  async down(): Promise<void> {
    throw new Error('the event log cannot be removed by a migration: drop the schema by hand if that is meant');
  }
}
