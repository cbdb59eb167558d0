import type { MigrationInterface, QueryRunner } from 'typeorm';
import { EVENT_BYTES, OPEN_COMMAND } from '../schema.sql';

/** Bounds what is read at a time by bytes too. Writes the table of events anew, once. */
export class EventPages1764100000000 implements MigrationInterface {
  name = 'EventPages1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('drop function if exists open_command(bigint[], uuid, text[], bigint[], int)');
    for (const sql of [EVENT_BYTES, OPEN_COMMAND]) await runner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('the event log cannot be taken back to an older shape');
  }
}
